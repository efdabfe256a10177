"""Parses recipes one by one, each with what is appended to it: `parse.py RECIPE[+APPEND]…`, in bitbake's environment.

`bitbake -e -b RECIPE` leaves appends out, and everything else reads thousands of recipes first.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(shutil.which("bitbake")), "../lib"))
from bb import tinfoil  # noqa: E402

with tinfoil.Tinfoil() as bitbake:
    bitbake.prepare(config_only=True)
    for word in sys.argv[1:]:
        recipe, _, append = word.partition("+")
        data = bitbake.parse_recipe_file(recipe, appends=bool(append), appendlist=[append] if append else [])
        skipped = data.getVar("__SKIPPED")
        if skipped:
            sys.exit(f"{recipe} is skipped: {skipped}")
        # Dependencies, tasks and sources are only expanded here, with all that they contain.
        for name in data.keys():
            if name.split(":")[0] in ("SRC_URI", "DEPENDS", "RDEPENDS", "FILES", "IMAGE_INSTALL", "FILESPATH"):
                data.getVar(name)
        for uri in (data.getVar("SRC_URI") or "").split():
            # Files of ours must be where the recipe looks for them.
            if uri.startswith("file://"):
                name = uri[len("file://"):].split(";")[0]
                folders = data.getVar("FILESPATH").split(":")
                if not any(os.path.exists(os.path.join(folder, name)) for folder in folders):
                    sys.exit(f"{recipe}: {name} is in none of its folders")
        print("parsed", data.getVar("PN"), data.getVar("PV"), "with " + os.path.basename(append) if append else "")
