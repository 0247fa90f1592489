// SPDX-License-Identifier: MIT
// The view alone, of a model of texts.
import QtQuick

View {
    row: Text {
        required property string display
        text: display
    }
}
