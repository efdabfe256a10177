SUMMARY = "What a kiosk needs of a Jetson: kernel modules of every sensor, GPU, power mode, slots"

# It names packages of one board's kernel, so it must not be shared between boards.
PACKAGE_ARCH = "${MACHINE_ARCH}"
inherit packagegroup

COMPATIBLE_MACHINE = "(tegra)"

# A sensor exists only if its module is in the image. The BSP only recommends some of them, and recommendations can
# be switched off, so each is required here by name.
RDEPENDS:${PN} = " \
    kernel-module-ina3221 \
    kernel-module-lm90 \
    kernel-module-pwm-fan \
    kernel-module-pwm-tegra \
    kernel-module-tegra-bpmp-thermal \
    nv-kernel-module-governor-pod-scaling \
    nv-kernel-module-nvmap \
    nv-kernel-module-nvpmodel-clk-cap \
    nv-kernel-module-pwm-tegra-tachometer \
    nv-kernel-module-tegra-bpmp-bwmgr \
    nv-kernel-module-tegra-cactmon-mc-all \
    nv-kernel-module-tegra234-oc-event \
    nv-kernel-module-thermal-trip-event \
    nv-kernel-module-watchdog-tegra-t18x \
    nv-tegra-release \
    tegra-configs-udev \
    tegra-libraries-nvml \
    tegra-nvfancontrol \
    tegra-nvpmodel \
    tegra-redundant-boot \
"
RDEPENDS:${PN}:append:tegra234 = " nv-kernel-module-nvgpu"
RDEPENDS:${PN}:append:tegra264 = " nv-kernel-module-nvidia-uvm"
# Models run on the GPU; its runtime comes from a layer that may be left out.
RDEPENDS:${PN} += "${@bb.utils.contains('BBFILE_COLLECTIONS', 'tegra-community', 'onnxruntime', '', d)}"
# Cameras and sound cards on USB, which is what a kiosk has; some kernels have them built in.
RRECOMMENDS:${PN} += "kernel-module-uvcvideo kernel-module-snd-usb-audio"
