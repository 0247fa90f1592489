// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QHash>
#include <QList>
#include <QString>

#include <functional>

namespace Everwire {

// A ".env" file (rule C2), as the web client's tools read it: NAME=value, "export" before it or not, # comments,
// values bare, in 'single' quotes (as they are) or "double" ones (\n \r \t \" \\ \$), which may go over several lines,
// and $NAME or ${NAME} in bare and double-quoted values.
class EVERWIRE_EXPORT EnvironmentFile
{
public:
    struct Problem
    {
        int line = 0; // from 1
        QString what; // never the line itself: it may hold a secret
    };
    // A variable that the file does not define; a null string where there is none.
    using Lookup = std::function<QString(const QString &name)>;

    static constexpr qint64 LargestSize = 1024 * 1024; // bytes

    // Bad lines are left out and reported; the good ones count.
    [[nodiscard]] static EnvironmentFile parse(const QByteArray &bytes, const Lookup &lookup);

    [[nodiscard]] const QHash<QString, QString> &values() const { return m_values; }
    [[nodiscard]] const QList<Problem> &problems() const { return m_problems; }

private:
    class Parser;

    QHash<QString, QString> m_values;
    QList<Problem> m_problems;
};

} // namespace Everwire
