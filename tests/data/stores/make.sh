#!/usr/bin/env bash
# Makes every file in this folder anew, with openssl and with the keytool of a JDK. They are committed, so that the tests
# need neither. The password is "changeit" everywhere, and nothing here protects anything.
set -euo pipefail
cd "$(dirname "$0")"

key=../keys/rsa-pkcs8.pem
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f ./*.pem ./*.p12 ./*.jks ./*.jceks ./*.der

# Two authorities, and the bot's certificate from the first of them.
for name in one two; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=authority $name" \
        -keyout "$work/$name.key" -out "$work/$name.pem" 2>/dev/null
done
openssl req -new -key "$key" -subj "/CN=bot" -out "$work/bot.csr"
sign() {
    openssl x509 -req -in "$work/bot.csr" -CA "$work/one.pem" -CAkey "$work/one.key" -set_serial 1 -days 36500 "$@" \
        2>/dev/null
}
echo "basicConstraints = critical, CA:false" >"$work/extensions"
sign -extfile "$work/extensions" -out "$work/bot.pem"
cat "$work/one.pem" "$work/two.pem" >trust.pem
cp "$work/bot.pem" bot-certificate.pem
cat "$work/bot.pem" "$work/one.pem" "$key" >bot.pem
# Without extensions it is of version 1.
cat <(sign) "$key" >bot-version-1.pem
openssl x509 -in "$work/one.pem" -outform DER -out authority.der

# The bot's key and certificate as PKCS#12: of today, as OpenSSL 1 wrote it, as Java writes it, and without a password.
export_bot() { openssl pkcs12 -export -inkey "$key" -in "$work/bot.pem" -certfile "$work/one.pem" -name bot "$@"; }
export_bot -passout pass:changeit -out bot-openssl.p12
export_bot -passout pass:changeit -out bot-legacy.p12 -legacy
export_bot -passout pass: -out bot-no-password.p12
keytool -importkeystore -srckeystore bot-openssl.p12 -srcstorepass changeit -destkeystore bot-keytool.p12 \
    -deststoretype PKCS12 -deststorepass changeit 2>/dev/null

# The authorities as trust stores, of kinds that Java programs have.
openssl pkcs12 -export -nokeys -in trust.pem -passout pass:changeit -out trust-openssl.p12
for name in one two; do
    for kind in PKCS12/p12 JKS/jks JCEKS/jceks; do
        keytool -importcert -noprompt -alias "$name" -file "$work/$name.pem" -keystore "trust-keytool.${kind#*/}" \
            -storetype "${kind%/*}" -storepass changeit 2>/dev/null
    done
done
chmod 644 ./*.p12
