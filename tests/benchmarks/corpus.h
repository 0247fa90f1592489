// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

#include <algorithm>
#include <vector>

// The same messages in every process, whatever the run.
namespace Bench {

// As many as a measurement takes turns with: enough for its memory not to stay in the fastest cache.
int corpusSize(int size);

// `ai_response` events of exactly *size* bytes of UTF-8, with nested and non-ASCII content, no two alike. Together
// they are longer than a deflate window, so that none is found in it again.
std::vector<QByteArray> events(int size, int count);

// Bytes that look like nothing, *size* of them in each.
std::vector<QByteArray> noise(int size, int count);

// As many as a measurement takes turns with, or *most*.
inline std::vector<QByteArray> corpusOf(bool isText, int size, int most)
{
    const int count = std::clamp(most, 1, corpusSize(size));
    return isText ? events(size, count) : noise(size, count);
}

} // namespace Bench
