/* How steps are written. */
#include "world.h"

int32_t status_of(const char *outcome) {
    static const struct {
        const char *outcome;
        int32_t status;
    } outcomes[] = {
        {"done", DATAFEED_OK},         {"timeout", DATAFEED_TIMEOUT}, {"interrupted", DATAFEED_INTERRUPTED},
        {"closed", DATAFEED_CLOSED},   {"failed", DATAFEED_FAILED},   {"invalid", DATAFEED_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        if (strcmp(outcomes[i].outcome, outcome) == 0) return outcomes[i].status;
    }
    return -1;
}

char *take_word(char **rest) {
    char *found = *rest, *end = found + strcspn(found, " ");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return found;
}

long take_number(char **rest) {
    char *digits = take_word(rest), *end;
    long value = strtol(digits, &end, 10);
    CHECK(*digits != '\0' && *end == '\0');
    return value;
}

char *text_in(const char *json, const char *name) {
    char *member = text_of("\"%s\":\"", name);
    const char *found = strstr(json, member);
    CHECK(found != NULL);
    found += strlen(member);
    free(member);
    return text_of("%.*s", (int)strcspn(found, "\""), found);
}
