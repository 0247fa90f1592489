// SPDX-License-Identifier: MIT
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

// A page of docs/, read when a test looks at it.
class Page
{
public:
    struct Block
    {
        QString language; // what is behind the ```
        QString name;     // of the <!-- run: name --> right before it
        QString code;
        int line = 0; // of its first line of code, from 1
    };

    explicit Page(const QString &path);

    [[nodiscard]] const QStringList &lines() const { return m_lines; }
    [[nodiscard]] const QList<Block> &blocks() const { return m_blocks; }
    [[nodiscard]] QList<Block> blocks(const QString &language) const;
    // Their text alone, whatever their level.
    [[nodiscard]] const QStringList &headings() const { return m_headings; }

private:
    QStringList m_lines;
    QList<Block> m_blocks;
    QStringList m_headings;
};
