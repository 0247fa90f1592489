// SPDX-License-Identifier: MIT
#pragma once

#include <QHash>
#include <QList>
#include <QString>
#include <QStringList>

namespace Everwire::Demo {

/// Somebody the simulation can play.
struct Role
{
    QString id;
    QString name;
    QString persona; ///< One sentence on who this is and what they care about.
    QString opening; ///< The first thing they say; placeholders as in Reply::text.
};

/// Something the simulation may say, and when.
struct Reply
{
    QStringList when; ///< Findings (see knownFindings()), one of which must apply; empty: always.
    QString role;     ///< The role that says it; empty: every role.
    QString text;     ///< With placeholders such as `{seconds}`, see knownPlaceholders().
};

/// One step of the conversation.
struct Beat
{
    QString id;
    QString goal; ///< What the speaker should achieve, for coaching.
    QList<Reply> replies;
};

/// From where on a turn deserves a remark, and the remarks.
struct Coaching
{
    double minSeconds = 0;                ///< Speech below this is too short.
    double maxSeconds = 0;                ///< A recording above this is too long.
    double quietDbfs = 0;                 ///< Speech below this level (dBFS) is too quiet.
    double longPauseSeconds = 0;          ///< A pause from this length on is long.
    int maxLongPauses = 0;                ///< More long pauses than this are too many.
    double minSyllablesPerSecond = 0;     ///< Slower speech is too slow.
    double maxSyllablesPerSecond = 0;     ///< Faster speech is too fast.
    double maxClippedRatio = 0;           ///< A larger share of cut-off samples (0 to 1) is distorted.
    QHash<QString, QStringList> messages; ///< By finding, and 'complete'.
};

/// A conversation to practise, as one file in `resources/scenarios/` describes it.
struct Scenario
{
    QString id;
    QString title;
    QString description;
    QString simulationType; ///< feature_demo, objection_handling or scenario_based.
    QList<Role> roles;      ///< At least one; the first is the default.
    QList<Beat> beats;      ///< At least one, in order.
    QList<Reply> repairs;   ///< For turns that say too little to go on with.
    Coaching coaching;

    /// The role called \a roleId, or the first one when there is none of that name.
    [[nodiscard]] const Role &role(const QString &roleId) const;
    [[nodiscard]] bool hasRole(const QString &roleId) const;
    [[nodiscard]] QStringList roleIds() const;
};

/// What a turn can be found to be, worst first: `undecodable`, `empty`, `silence`, `too_short`,
/// `too_quiet`, `clipped`, `long_pauses`, `too_fast`, `too_slow`, `too_long`, `good`.
[[nodiscard]] const QStringList &knownFindings();

/// The findings after which the conversation stays where it is.
[[nodiscard]] const QStringList &blockingFindings();

/// What may stand in braces in a text; those that carry something measured come first.
[[nodiscard]] const QStringList &knownPlaceholders();

/// The placeholders whose value comes from the recording.
[[nodiscard]] const QStringList &measuredPlaceholders();

} // namespace Everwire::Demo
