# Only for the kiosk's distro: slots of the machine, and the authority that signs bundles.
FILESEXTRAPATHS:prepend:linly-kiosk := "${THISDIR}/files:"
SRC_URI:append:linly-kiosk = " file://linly-slots file://10-tegra.conf"
# One machine's slots are not another's.
PACKAGE_ARCH:linly-kiosk = "${MACHINE_ARCH}"

do_install:append:linly-kiosk() {
    sed -i -e 's/@MACHINE@/${MACHINE}/' ${D}${nonarch_libdir}/rauc/system.conf
}
do_install:append:tegra() {
    install -m 0755 ${UNPACKDIR}/linly-slots ${D}${nonarch_libdir}/rauc/linly-slots
    install -D -m 0644 ${UNPACKDIR}/10-tegra.conf \
        ${D}${systemd_system_unitdir}/rauc-mark-good.service.d/10-tegra.conf
}
FILES:${PN}:append:linly-kiosk = " ${systemd_system_unitdir}/rauc-mark-good.service.d"
