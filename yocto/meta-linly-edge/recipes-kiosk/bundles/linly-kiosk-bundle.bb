SUMMARY = "Daemon, models, portrait, facts of the site and the system below them, as one signed file"
LICENSE = "Apache-2.0"

inherit bundle

COMPATIBLE_MACHINE = "(qemuarm64|tegra)"

RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_COMPATIBLE = "linly-kiosk-${MACHINE}"
RAUC_BUNDLE_VERSION = "${LINLY_RELEASE}"
RAUC_BUNDLE_DESCRIPTION = "Kiosk ${LINLY_RELEASE}"

RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "linly-kiosk-image"
RAUC_SLOT_rootfs[fstype] = "ext4"
# Over a network only what has changed is fetched.
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"

# Who signs is said in local.conf or a kas file, and never in a layer: see yocto/README.md.
#     RAUC_KEY_FILE, RAUC_CERT_FILE (build machine), RAUC_KEYRING_FILE (into the image)
python linly_kiosk_signed() {
    missing = [name for name in ('RAUC_KEY_FILE', 'RAUC_CERT_FILE') if not d.getVar(name)]
    if missing:
        bb.fatal('a bundle must be signed: set %s' % ' and '.join(missing))
}
do_bundle[prefuncs] += "linly_kiosk_signed"
