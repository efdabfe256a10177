SUMMARY = "A digital receptionist for Jetson-class boxes"
DESCRIPTION = "Listens, answers and shows its face, with no network."

require linly-edge-source.inc
require linly-edge-crates.inc

# The daemon's own, and those of the crates that are inside. libsystemd's binding may be linked to by anything.
LICENSE = "Apache-2.0 & MIT & BSD-2-Clause & BSD-3-Clause & ISC & Zlib & Unicode-3.0 & LGPL-2.1-or-later"

inherit cargo cargo-update-recipe-crates pkgconfig systemd useradd

# bindgen, which writes the camera's bindings, opens libclang.
DEPENDS = "alsa-lib clang-native fontconfig systemd"
DEPENDS:append:x86-64 = " nasm-native"

# All of it optimised, as Debian's package is. Later releases of OE-core only ask for the profile's name.
CARGO_PROFILE = "dist"
BUILD_MODE = "--profile ${CARGO_PROFILE}"
BUILD_DIR = "${CARGO_PROFILE}"
CARGO_BUILD_FLAGS += "--package linly-edge --bin linly-edge"

export LIBCLANG_PATH = "${STAGING_LIBDIR_NATIVE}"
export BINDGEN_EXTRA_CLANG_ARGS = "--target=${TARGET_SYS} --sysroot=${STAGING_DIR_TARGET}"
export LINLY_EDGE_REVISION = "${SRCREV}"

# The root is read-only, so that systemd-sysusers comes too late.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system render; --system linly-edge"
USERADD_PARAM:${PN} = "--system --no-create-home --home-dir /var/lib/linly-edge --shell ${base_sbindir}/nologin \
    --gid linly-edge --groups audio,video,render,input linly-edge"

SYSTEMD_SERVICE:${PN} = "linly-edge.service linly-edge-healthy.service"

do_install:append() {
    cd ${S}
    install -d ${D}${systemd_system_unitdir}
    install -m 0644 systemd/*.service systemd/*.target ${D}${systemd_system_unitdir}
    install -D -m 0644 systemd/sysusers.d/linly-edge.conf ${D}${nonarch_libdir}/sysusers.d/linly-edge.conf
    install -D -m 0644 systemd/tmpfiles.d/linly-edge.conf ${D}${nonarch_libdir}/tmpfiles.d/linly-edge.conf
    install -D -m 0644 systemd/udev/70-linly-edge.rules ${D}${nonarch_base_libdir}/udev/rules.d/70-linly-edge.rules
    install -D -m 0644 systemd/linly-edge.catalog ${D}${nonarch_libdir}/systemd/catalog/linly-edge.catalog
    # Not `update`: it is dpkg's, and here RAUC updates.
    install -d ${D}${nonarch_libdir}/linly-edge
    install -m 0755 systemd/healthy systemd/after-failure ${D}${nonarch_libdir}/linly-edge

    install -D -m 0644 config/linly-edge.toml ${D}${sysconfdir}/linly-edge/config.toml
    install -m 0644 config/site.toml ${D}${sysconfdir}/linly-edge/site.toml
    # A device's own tables are mounted here.
    install -d ${D}${sysconfdir}/linly-edge/config.d
}

# A site that brings facts of its own puts a package with the same file in the place of this one.
PACKAGES =+ "${PN}-site"
FILES:${PN}-site = "${sysconfdir}/linly-edge/site.toml"
SUMMARY:${PN}-site = "Sample facts of a site"

FILES:${PN} += " \
    ${nonarch_base_libdir}/udev \
    ${nonarch_libdir}/linly-edge \
    ${nonarch_libdir}/systemd/catalog \
    ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d \
    ${systemd_system_unitdir} \
"
CONFFILES:${PN} = "${sysconfdir}/linly-edge/config.toml"
CONFFILES:${PN}-site = "${sysconfdir}/linly-edge/site.toml"

RRECOMMENDS:${PN} = "linly-edge-pack-starter ${PN}-site"
