// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include "core/message_p.h"
#include "core/wanted.h"

#include <QHash>
#include <QMutex>

#include <algorithm>
#include <atomic>

namespace simdjson::dom {
class object;
}

namespace Everwire {

// Makes one form of a message's body from what has been parsed. Immutable: any thread may use it.
class Decoder
{
public:
    Decoder() = default;
    virtual ~Decoder() = default;
    Q_DISABLE_COPY_MOVE(Decoder)

    // former: empty, or a value that a decoder of this form made and that nobody uses any more. It
    // may be reused.
    [[nodiscard]] virtual Decoded decode(const simdjson::dom::object &object,
                                         const std::shared_ptr<const void> &form, Decoded former) const = 0;

    // Whether decoding runs code of the app. That code must not run after the last subscriber of
    // this form has ended. Such a decoder is used only between InterestBoard's beginDecoding() and
    // endDecoding().
    [[nodiscard]] virtual bool runsForeignCode() const { return false; }
    // Destroys the values that it made. It is not used again.
    virtual void retire() const {}

    // One for a Gadget or Fields; null for the forms that need none.
    [[nodiscard]] static std::unique_ptr<Decoder> of(const Detail::Wanted &wanted);
};

// Who takes what of the messages, so that it is made on the wire thread and only where somebody takes it. A message that
// crossed under an older one goes to whoever takes it now, and is decoded when the handler is called.
struct Interest
{
    struct InType
    {
        struct Form
        {
            std::shared_ptr<const void> key;
            std::shared_ptr<const Decoder> decoder;
        };

        std::vector<Form> forms;
        bool json = false;      // the payload itself
        bool isHeard = false;   // somebody is called
        bool onlyNewest = true; // nobody is called who takes each

        [[nodiscard]] bool runsForeignCode() const
        {
            return std::any_of(forms.begin(), forms.end(), [](const Form &form) {
                return form.decoder && form.decoder->runsForeignCode();
            });
        }
    };

    InType every;
    QHash<QByteArray, InType> types; // by the type's UTF-8
};

// Where the app's thread leaves the present interest for the wire thread.
class EVERWIRE_EXPORT InterestBoard
{
public:
    // Returns its number: another for each that was published, and never 0.
    quint32 publish(std::shared_ptr<const Interest> interest);
    [[nodiscard]] quint32 number() const { return m_number.load(std::memory_order_seq_cst); }
    [[nodiscard]] std::shared_ptr<const Interest> interest() const;

    // ---- the wire thread ----
    // From now on the wire thread decodes by the interest whose number it reads next.
    void beginDecoding() const { m_isDecoding.store(true, std::memory_order_seq_cst); }
    void endDecoding() const { m_isDecoding.store(false, std::memory_order_release); }

    // ---- the app's thread ----
    // Waits until the wire thread no longer decodes by an interest that was published before the
    // current one. That takes one message at most.
    void waitForDecoding() const;

private:
    mutable std::atomic<bool> m_isDecoding{false};
    mutable QMutex m_mutex;
    std::shared_ptr<const Interest> m_interest;
    std::atomic<quint32> m_number{0};
};

} // namespace Everwire
