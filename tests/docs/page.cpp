// SPDX-License-Identifier: MIT
#include "page.h"

#include <QFile>
#include <QRegularExpression>

Page::Page(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("%s: %s", qPrintable(path), qPrintable(file.errorString()));
    m_lines = QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'));

    static const QRegularExpression name(QStringLiteral("^<!-- run: ([\\w-]+) -->$"));
    bool isInside = false;
    for (qsizetype i = 0; i < m_lines.size(); ++i) {
        const QString &line = m_lines.at(i);
        if (isInside) {
            isInside = line != QLatin1String("```");
            if (isInside)
                m_blocks.last().code += line + QLatin1Char('\n');
        } else if (line.startsWith(QLatin1String("```"))) {
            isInside = true;
            const QString before = i > 0 ? name.match(m_lines.at(i - 1)).captured(1) : QString();
            m_blocks.append({line.mid(3), before, {}, int(i) + 2});
        } else if (line.startsWith(QLatin1Char('#'))) {
            m_headings.append(line.mid(line.indexOf(QLatin1Char(' ')) + 1));
        }
    }
}

QList<Page::Block> Page::blocks(const QString &language) const
{
    QList<Block> found;
    for (const Block &block : m_blocks) {
        if (block.language == language)
            found.append(block);
    }
    return found;
}
