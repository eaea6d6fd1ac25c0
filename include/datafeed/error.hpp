/* What went wrong: statuses as error codes, error objects as exceptions. Part of datafeed.hpp. */

#ifndef DATAFEED_ERROR_HPP
#define DATAFEED_ERROR_HPP

#include <datafeed.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace symphony {

/// Why a call did not do what it was asked for: the statuses of datafeed.h but DATAFEED_OK.
enum class errc {
    timeout = DATAFEED_TIMEOUT,                    ///< The time is over.
    interrupted = DATAFEED_INTERRUPTED,            ///< Datafeed::interrupt() was called.
    closed = DATAFEED_CLOSED,                      ///< The feed is closed.
    failed = DATAFEED_FAILED,                      ///< The feed has stopped for good; Datafeed::error() says why.
    invalid_argument = DATAFEED_INVALID_ARGUMENT,  ///< The configuration, or an event that is not held, or moved from.
    forked = DATAFEED_FORKED,                      ///< The feed belongs to the parent process.
    not_stored = DATAFEED_NOT_STORED,              ///< `stateDir` is out of order for now; what was said is taken.
};

/// The category of errc. Visible where all else is hidden, so that a program and its shared libraries have the same.
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
inline const std::error_category &datafeed_category() noexcept {
    class Category final : public std::error_category {
        const char *name() const noexcept override { return "datafeed"; }
        std::string message(int status) const override {
            switch (static_cast<errc>(status)) {
                case errc::timeout: return "the time is over";
                case errc::interrupted: return "the wait was interrupted";
                case errc::closed: return "the feed is closed";
                case errc::failed: return "the feed has stopped for good";
                case errc::invalid_argument: return "an argument cannot be used";
                case errc::forked: return "the feed belongs to the parent process; a forked child must open its own";
                case errc::not_stored: return "stateDir cannot be written or read at the moment";
            }
            return "status " + std::to_string(status);
        }
        std::error_condition default_error_condition(int status) const noexcept override {
            switch (static_cast<errc>(status)) {
                case errc::timeout: return std::errc::timed_out;
                case errc::interrupted: return std::errc::interrupted;
                case errc::invalid_argument: return std::errc::invalid_argument;
                default: return {status, *this};
            }
        }
    };
    static const Category category;
    return category;
}

inline std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), datafeed_category()}; }

}  // namespace symphony

template <>
struct std::is_error_code_enum<symphony::errc> : std::true_type {};

namespace symphony {

/// What the library tells about something that went wrong. It never holds a secret.
struct Trouble {
    /// The kind of it, such as AUTH_REJECTED or CONFIG_INVALID. The names never change; docs/errors.md has them all.
    std::string code;
    /// What happened and what to do, for a person to read.
    std::string message;
    /// Whether the feed goes on trying. What ended it is not retryable.
    bool retryable = false;
    /// The status of the HTTP response that told of it.
    std::optional<int> http_status{};
    /// The setting at fault, as a path in the configuration: bot.privateKey.path. Empty if there is none.
    std::string field{};
    /// The file at fault, or empty.
    std::string file{};
    /// The X-Trace-Id of the request, for Symphony's support, or empty.
    std::string trace_id{};
    /// All of this as the library wrote it, as JSON. Empty where it is not the library that tells.
    std::string json{};
};

/// What the methods throw. `code()` says what it means for the caller and is an errc, `trouble()` what went wrong.
class Error : public std::system_error {
public:
    Error(errc code, Trouble trouble)
        : std::system_error(code),
          trouble_(std::make_shared<const Trouble>(std::move(trouble))),
          what_(std::make_shared<const std::string>(trouble_->code + ": " + trouble_->message)) {}

    /// The code and the message, as `AUTH_REJECTED: the login was refused ...`.
    const char *what() const noexcept override { return what_->c_str(); }
    const Trouble &trouble() const noexcept { return *trouble_; }

private:
    // Shared, since copying an exception must not throw.
    std::shared_ptr<const Trouble> trouble_;
    std::shared_ptr<const std::string> what_;
};

namespace detail {

/// The members of an error object, which is flat, as the library writes it: without white space, in UTF-8, and with
/// escapes only where JSON demands them. This is no parser of JSON from elsewhere.
class Members {
public:
    explicit Members(std::string_view object) noexcept : rest_(object.substr(object.empty() ? 0 : 1)) {}

    /// Whether there is another one. Strings come without quotes and escapes, anything else as it stands.
    bool next(std::string &name, std::string &value) {
        if (rest_.empty() || rest_[0] != '"') return false;
        name = string();
        skip();
        value = !rest_.empty() && rest_[0] == '"' ? string() : std::string(take(rest_.find_first_of(",}")));
        skip();
        return true;
    }

private:
    std::string_view take(std::size_t count) noexcept {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    void skip() noexcept { take(1); }

    std::string string() {
        std::string text;
        skip();
        for (;;) {
            text += take(rest_.find_first_of("\"\\"));
            if (take(1) != "\\") return text;
            const std::string_view escape = take(1);
            if (escape == "u") {
                text += static_cast<char>(std::stoi(std::string(take(4)), nullptr, 16));
            } else {
                const std::size_t kind = std::string_view("bfnrt").find(escape);
                text += kind < 5 ? std::string_view("\b\f\n\r\t").substr(kind, 1) : escape;
            }
        }
    }

    std::string_view rest_;
};

inline Trouble trouble_in(std::string_view object) {
    Trouble trouble{"INTERNAL", "the library gave no reason"};
    trouble.json = object;
    std::string name, value;
    for (Members members(object); members.next(name, value);) {
        if (name == "code") trouble.code = value;
        if (name == "message") trouble.message = value;
        if (name == "retryable") trouble.retryable = value == "true";
        if (name == "httpStatus") trouble.http_status = std::stoi(value);
        if (name == "field") trouble.field = value;
        if (name == "file") trouble.file = value;
        if (name == "traceId") trouble.trace_id = value;
    }
    return trouble;
}

/// A string that the library gave away, freed when it was copied.
class Owned {
public:
    Owned() noexcept = default;
    Owned(const Owned &) = delete;
    Owned &operator=(const Owned &) = delete;
    ~Owned() { datafeed_string_free(text_); }

    char **place() noexcept { return &text_; }
    std::optional<std::string> copy() const { return text_ ? std::optional<std::string>(text_) : std::nullopt; }

private:
    char *text_ = nullptr;
};

inline std::error_code code_of(std::int32_t status) noexcept {
    return status == DATAFEED_OK ? std::error_code() : std::error_code(status, datafeed_category());
}

/// Throws what a call has answered, unless it worked. `invalid` says what DATAFEED_INVALID_ARGUMENT means there.
inline void check(datafeed *feed, const std::error_code &answer, const char *invalid = "the feed was moved from") {
    if (!answer) return;
    const auto code = static_cast<errc>(answer.value());
    Trouble trouble{"INTERNAL", answer.message()};
    if (code == errc::failed || code == errc::not_stored) {
        Owned text;
        datafeed_error(feed, text.place());
        trouble = trouble_in(text.copy().value_or(""));
    }
    if (code == errc::timeout) trouble.code = "TIMEOUT";
    if (code == errc::closed) trouble.code = "CLOSED";
    if (code == errc::forked) trouble.code = "FORKED";
    if (code == errc::invalid_argument) trouble = {"INVALID_ARGUMENT", invalid};
    throw Error(code, std::move(trouble));
}

}  // namespace detail
}  // namespace symphony

#endif  // DATAFEED_ERROR_HPP
