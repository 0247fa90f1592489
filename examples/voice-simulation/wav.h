// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

// The only sound this app knows: 16-bit little-endian mono PCM at 16 kHz, alone or in a WAV file.
namespace Wav {

constexpr int sampleRate = 16000;
constexpr int bytesPerMs = sampleRate * 2 / 1000;

// The PCM inside, empty where the file is of another kind.
[[nodiscard]] QByteArray toPcm(const QByteArray &wav);
[[nodiscard]] QByteArray fromPcm(const QByteArray &pcm);

} // namespace Wav
