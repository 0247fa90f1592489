// SPDX-License-Identifier: MIT
#include "scenariocatalog.h"

#include "scenarioparser.h"

#include <QDir>
#include <QFile>

#include <algorithm>

static void initializeResources()
{
    Q_INIT_RESOURCE(everwire_scenarios);
}

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

const Scenario *ScenarioCatalog::find(const QString &id) const
{
    const auto found = std::find_if(scenarios.begin(), scenarios.end(),
                                    [&](const Scenario &entry) { return entry.id == id; });
    return found == scenarios.end() ? nullptr : &*found;
}

QStringList ScenarioCatalog::ids() const
{
    QStringList result;
    for (const Scenario &scenario : scenarios)
        result.append(scenario.id);
    return result;
}

ScenarioCatalog loadScenarios(const QString &directory)
{
    ScenarioCatalog catalog;
    const QDir dir(directory);
    if (!dir.exists())
        catalog.problems.append(
            u"%1: no such directory; name one that holds *.json scenarios"_s.arg(directory));
    const QStringList names = dir.entryList({u"*.json"_s}, QDir::Files, QDir::Name);
    for (const QString &name : names) {
        QFile file(dir.filePath(name));
        if (!file.open(QIODevice::ReadOnly)) {
            catalog.problems.append(u"%1: %2; make it readable"_s.arg(name, file.errorString()));
            continue;
        }
        const ParsedScenario parsed = parseScenario(file.readAll(), name);
        if (!parsed.scenario)
            catalog.problems.append(parsed.error);
        else if (catalog.find(parsed.scenario->id) != nullptr)
            catalog.problems.append(
                u"%1: key \"id\" repeats '%2' of another file; rename it"_s.arg(name, parsed.scenario->id));
        else
            catalog.scenarios.append(*parsed.scenario);
    }
    return catalog;
}

ScenarioCatalog builtInScenarios()
{
    initializeResources();
    return loadScenarios(u":/everwire/scenarios"_s);
}

} // namespace Everwire::Demo
