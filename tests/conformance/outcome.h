// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <string>

// What a case was found to be, in Autobahn's words.
enum class Verdict { Ok, NonStrict, Informational, Unimplemented, Failed };
// How the connection ended: as it must, by the wrong side, without the closing handshake, with a wrong code, or not
// judged.
enum class Ending { Ok, WrongSide, Unclean, WrongCode, Informational };

// std::string: ThreadSanitizer does not understand how Qt's strings are handed over between threads.
struct Outcome
{
    Verdict verdict = Verdict::Failed;
    Ending ending = Ending::Unclean;
    int closeCode = 0; // the client's; 0: it sent none
    std::string why;   // empty where all is well
    qint64 milliseconds = 0;

    [[nodiscard]] bool isGood() const
    {
        return verdict != Verdict::Failed && (ending == Ending::Ok || ending == Ending::Informational);
    }
};

const char *toString(Verdict verdict);
const char *toString(Ending ending);
