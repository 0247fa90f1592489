// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include <optional>

namespace Everwire::Demo {

/// A piece of a turn's audio.
struct AudioChunk
{
    qint64 sequence = 0;
    QByteArray data;
};

/// A chunk, an error to tell the client, or neither (a header that waits for its frame).
struct FramedAudio
{
    std::optional<AudioChunk> chunk;
    QString error;
};

/// Puts audio chunks together from the two forms in which clients send them: a JSON header followed
/// by one binary frame (A), and base64 inside the JSON (B).
class AudioFramer
{
public:
    /// Takes an `audio_chunk` message. Call interrupted() before, as for every other text.
    [[nodiscard]] FramedAudio takeHeader(const QJsonObject &message);

    /// Takes a binary message.
    [[nodiscard]] FramedAudio takeFrame(const QByteArray &frame);

    /// To be called for each text message: an error when a header was still waiting for its frame.
    [[nodiscard]] QString interrupted();

private:
    [[nodiscard]] FramedAudio takeEncoded(const QJsonObject &payload) const;

    struct Header
    {
        qint64 sequence;
        qint64 size;
    };
    std::optional<Header> m_header;
    bool m_skipFrame = false; // the frame of a refused header needs no second error
};

} // namespace Everwire::Demo
