SUMMARY = "Starter models and portrait of the digital receptionist"

require linly-edge-source.inc

inherit linly-edge-pack

LINLY_PACK_FOLDERS = "models/starter avatar"
