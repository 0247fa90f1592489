// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

// What the compression cases send: as Autobahn's files in kind and size, but made here, from a fixed seed.
// Each is made once and kept.
namespace Payloads {

const QByteArray &json();   // ASCII
const QByteArray &bitmap(); // a picture in grey
const QByteArray &prose();  // words
const QByteArray &html();   // ASCII
const QByteArray &packed(); // compressed already, for the most part

} // namespace Payloads
