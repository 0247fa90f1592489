// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QString>

#include <vector>

namespace Everwire::Demo {

/// Mono 16-bit samples and their rate, or the reason why there are none.
struct DecodedAudio
{
    std::vector<qint16> samples;
    int sampleRate = 16000; ///< Hz
    QString error;          ///< Says what was wrong and what to send instead; empty on success.

    [[nodiscard]] bool isValid() const { return error.isEmpty(); }
};

/// True when \a data begins like a WAV file.
[[nodiscard]] bool startsWithWavHeader(const QByteArray &data);

/// Why \a data, the beginning of a recording, cannot be decoded; empty when nothing speaks against
/// it so far. Knows the containers that browsers record (WebM, Ogg, MP4, MP3, FLAC) by their first
/// bytes and the format of a WAV header.
[[nodiscard]] QString audioObjection(const QByteArray &data);

/// Decodes a WAV stream (16-bit PCM, any rate, channels are averaged) or, without a header, raw
/// 16-bit little-endian mono PCM at 16 kHz. The sizes in a streamed header are not trusted.
[[nodiscard]] DecodedAudio decodeAudio(const QByteArray &data);

/// What follows the WAV header of \a data, or \a data itself when it has none.
[[nodiscard]] QByteArray withoutWavHeader(const QByteArray &data);

/// A complete 16-bit mono WAV file.
[[nodiscard]] QByteArray encodeWav(const std::vector<qint16> &samples, int sampleRate);

} // namespace Everwire::Demo
