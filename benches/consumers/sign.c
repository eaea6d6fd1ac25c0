#include "sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "requests.h"

static size_t append_base64url(char *text, const void *bytes, size_t length)
{
    int count = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    while (count > 0 && text[count - 1] == '=') {
        count--;
    }
    for (int at = 0; at < count; at++) {
        text[at] = text[at] == '+' ? '-' : text[at] == '/' ? '_' : text[at];
    }
    return count;
}

void login_body(char *body, size_t capacity)
{
    const char *path = setting("BENCH_KEY");
    if (*path == '\0') {
        snprintf(body, capacity, "%s", LOGIN_BODY);
        return;
    }
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (key == NULL) {
        fail("BENCH_KEY cannot be used");
    }
    fclose(file);

    static const char HEADER[] = "{\"alg\":\"RS512\"}";
    char claims[128], token[1536];
    unsigned char signature[1024];
    size_t signature_length = sizeof signature;
    int claims_length = snprintf(claims, sizeof claims, "{\"sub\":\"bench\",\"exp\":%ld}", (long)time(NULL) + 290);
    size_t length = append_base64url(token, HEADER, sizeof HEADER - 1);
    token[length++] = '.';
    length += append_base64url(token + length, claims, claims_length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(context, NULL, EVP_sha512(), NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &signature_length, (unsigned char *)token, length) != 1) {
        fail("the login token cannot be signed");
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    token[length++] = '.';
    length += append_base64url(token + length, signature, signature_length);
    snprintf(body, capacity, "{\"token\":\"%.*s\"}", (int)length, token);
}
