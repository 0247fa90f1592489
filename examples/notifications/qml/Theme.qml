// SPDX-License-Identifier: MIT
pragma Singleton
import QtQuick

// Colours, distances and sizes. Every text colour has at least 4.5 : 1 on the ground that it is named for.
QtObject {
    id: theme

    // "system", "light" or "dark"
    property string mode: "system"
    readonly property bool dark: mode === "dark" || (mode === "system" && systemPalette.window.hslLightness < 0.5)

    function toggle(): void {
        theme.mode = theme.dark ? "light" : "dark";
    }

    readonly property color window: dark ? "#101318" : "#f3f4f8"
    readonly property color surface: dark ? "#191d25" : "#ffffff"
    readonly property color raised: dark ? "#242a35" : "#eceef4"
    readonly property color floating: dark ? "#2b3240" : "#ffffff"
    readonly property color border: dark ? "#2f3643" : "#dadee8"
    readonly property color outline: dark ? "#6d788b" : "#868fa1"
    readonly property color text: dark ? "#e9ecf2" : "#161a22"
    readonly property color muted: dark ? "#a6b0c0" : "#545d6e"

    readonly property color accent: dark ? "#93a3ff" : "#3d4fd6"
    readonly property color accentSoft: dark ? "#232a4d" : "#e8ebfd"
    readonly property color accentText: dark ? "#b7c2ff" : "#3442b5"
    readonly property color alarm: dark ? "#ff9f95" : "#c5281b"
    readonly property color alarmInk: dark ? "#33100c" : "#ffffff"

    readonly property color good: dark ? "#72d8a0" : "#176c40"
    readonly property color goodSoft: dark ? "#15301f" : "#e1f3e9"
    readonly property color warn: dark ? "#f2c368" : "#7d4c00"
    readonly property color warnSoft: dark ? "#33280f" : "#fdf0d8"
    readonly property color bad: dark ? "#ff9f95" : "#ab2116"
    readonly property color badSoft: dark ? "#3a1b18" : "#fde8e5"

    readonly property int textSize: 14
    readonly property int bodySize: 13
    readonly property int smallSize: 12
    readonly property int titleSize: 19
    readonly property int displaySize: 28

    readonly property int tight: 4
    readonly property int small: 8
    readonly property int normal: 12
    readonly property int wide: 16
    readonly property int huge: 24
    readonly property int radius: 10
    readonly property int controlHeight: 36

    readonly property SystemPalette systemPalette: SystemPalette {}
}
