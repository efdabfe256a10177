# The daemon opens the library; Python would only make the image larger.
PACKAGECONFIG:remove:linly-kiosk = "python"
