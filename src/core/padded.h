// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

#include <cstring>

namespace Everwire {

// simdjson reads whole registers, beyond the end of what it is given.
inline constexpr qsizetype Padding = 64;

// Bytes behind which Padding more may be read, whatever they hold. A view: whoever gives it says how long it lives.
class PaddedView
{
public:
    PaddedView() = default;
    // Padding bytes behind data + size must be readable.
    PaddedView(const char *data, qsizetype size) : m_view(data, size) {}

    [[nodiscard]] const char *data() const { return m_view.data(); }
    [[nodiscard]] qsizetype size() const { return m_view.size(); }
    [[nodiscard]] QByteArrayView bytes() const { return m_view; }
    [[nodiscard]] QByteArray toByteArray() const { return m_view.toByteArray(); }

private:
    QByteArrayView m_view;
};

// Makes a view possible of bytes that have no padding, by a copy of them.
class PaddedCopy
{
public:
    explicit PaddedCopy(QByteArrayView bytes) : m_bytes(bytes.size() + Padding, '\0')
    {
        if (!bytes.isEmpty())
            std::memcpy(m_bytes.data(), bytes.data(), size_t(bytes.size()));
    }

    [[nodiscard]] PaddedView view() const { return {m_bytes.constData(), m_bytes.size() - Padding}; }

private:
    QByteArray m_bytes;
};

} // namespace Everwire
