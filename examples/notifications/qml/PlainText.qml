// SPDX-License-Identifier: MIT
import QtQuick
import NotificationsExample

// What a server sends is words, never markup.
Text {
    textFormat: Text.PlainText
    color: Theme.text
    font.pixelSize: Theme.textSize
}
