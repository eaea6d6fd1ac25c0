/* Finds where each object of a JSON array begins and ends, 64 bytes at a time, for the limit. Text that is not JSON is not
 * noticed as such.
 *
 * For each 64 bytes there is a word with a bit for each byte, of those that are quotes, backslashes, opening or closing. Of
 * braces and brackets outside of strings, which are few, each is looked at.
 */

#ifndef BOUNDARIES_H
#define BOUNDARIES_H

#if defined(__SSE2__)

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far the scan may read beyond the text. */
#define BOUNDARIES_BEYOND 64

struct scan {
    /* All ones within a string, else 0: where the block before ended. */
    uint64_t in_string;
    /* 1 where the first byte is escaped by the block before. */
    uint64_t escaped;
};

struct marks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t opening;
    uint64_t closing;
};

static inline uint64_t equal_bits(__m128i bytes, char wanted)
{
    return (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted)));
}

static inline struct marks mark_block(const char *block)
{
    struct marks marks = {0};
    for (int part = 0; part < 4; part++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(block + 16 * part));
        /* Braces and brackets differ in one bit. */
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        marks.quotes |= equal_bits(bytes, '"') << (16 * part);
        marks.backslashes |= equal_bits(bytes, '\\') << (16 * part);
        marks.opening |= equal_bits(folded, '{') << (16 * part);
        marks.closing |= equal_bits(folded, '}') << (16 * part);
    }
    return marks;
}

/* The bytes that a backslash before them escapes. */
static inline uint64_t escaped_bits(struct scan *scan, uint64_t backslashes)
{
    if (backslashes == 0) {
        uint64_t escaped = scan->escaped;
        scan->escaped = 0;
        return escaped;
    }
    uint64_t escaped = scan->escaped, next = 0;
    backslashes &= ~escaped;
    while (backslashes != 0) {
        uint64_t first = backslashes & -backslashes;
        escaped |= first << 1;
        next = first >> 63;
        /* An escaped backslash escapes nothing. */
        backslashes &= ~(first | first << 1);
    }
    scan->escaped = next;
    return escaped;
}

/* Ones from each opening quote to before the closing one. */
static inline uint64_t string_bits(struct scan *scan, uint64_t quotes)
{
    for (int shift = 1; shift < 64; shift *= 2) {
        quotes ^= quotes << shift;
    }
    quotes ^= scan->in_string;
    scan->in_string = (uint64_t)((int64_t)quotes >> 63);
    return quotes;
}

/* From the opening bracket of the array: notes each object that is in it, up to `capacity`, and answers how many there are;
 * `after` is set to after the closing bracket, or to NULL if that is not there. */
static inline size_t find_objects(char *array, char *end, struct event *objects, size_t capacity, char **after)
{
    struct scan scan = {0};
    long depth = 0;
    size_t count = 0;
    char *begin = NULL;
    *after = NULL;
    for (char *block = array; block < end; block += 64) {
        struct marks marks = mark_block(block);
        uint64_t strings = string_bits(&scan, marks.quotes & ~escaped_bits(&scan, marks.backslashes));
        uint64_t both = (marks.opening | marks.closing) & ~strings;
        for (; both != 0; both &= both - 1) {
            char *at = block + __builtin_ctzll(both);
            if (marks.opening & (both & -both)) {
                if (depth++ == 1) {
                    begin = at;
                }
            } else if (--depth == 1) {
                if (count == capacity) {
                    return count + 1;
                }
                objects[count++] = (struct event){.text = begin, .length = at + 1 - begin};
            } else if (depth == 0) {
                *after = at + 1;
                return count;
            }
        }
    }
    return count;
}

#else
#define BOUNDARIES_BEYOND 0
#endif

#endif
