/*
 * Is the peer who it must be? Its certificate judged, and the refusal in words.
 */
#include "peer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs.h"
#include "verify.h"

/* id-kp-sipDomain (RFC 5924 §4) */
#define SIP_DOMAIN "1.3.6.1.5.5.7.3.20"

static bool
is_sip_usage(const ASN1_OBJECT *usage)
{
    char text[64];

    if (OBJ_obj2nid(usage) == NID_anyExtendedKeyUsage)
        return true;
    return OBJ_obj2txt(text, sizeof text, usage, 1) > 0 && span_eq(span_of(text), SPAN(SIP_DOMAIN));
}

/* RFC 5924 §4.1: a certificate for SIP domains says so; OpenSSL knows those of the web only. */
static bool
is_for_sip(const X509 *x509)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
        found |= is_sip_usage(sk_ASN1_OBJECT_value(usages, i));
    EXTENDED_KEY_USAGE_free(usages);
    return found;
}

/* keyUsage, where it is there, must let it sign what is said in a handshake. */
static bool
may_sign(const X509 *x509)
{
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(x509, NID_key_usage, NULL, NULL);
    bool may =
        !usage || ASN1_BIT_STRING_get_bit(usage, 0); /* digitalSignature (RFC 5280 §4.2.1.3) */

    ASN1_BIT_STRING_free(usage);
    return may;
}

bool
peer_may_pass(int err, int depth, const X509 *x509)
{
    if (err == X509_V_ERR_UNABLE_TO_GET_CRL)
        return true;
    return err == X509_V_ERR_INVALID_PURPOSE && depth == 0 && is_for_sip(x509) && may_sign(x509);
}

bool
peer_covers(const X509 *x509, struct span host)
{
    struct sans sans;
    bool covers;

    sans_read(x509, &sans);
    covers = verify_covers(sans.at, sans.len, host);
    sans_fini(&sans);
    return covers;
}

const char *
peer_wrong(long err)
{
    switch (err) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "not-yet-valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED: return "unknown-ca";
    case X509_V_ERR_CERT_REVOKED: return "revoked";
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE: return "bad-crl";
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED: return "wrong-usage";
    case X509_V_ERR_HOSTNAME_MISMATCH: return "wrong-host";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "too-weak";
    default: return "bad-certificate";
    }
}

bool
peer_said(unsigned long err)
{
    return ERR_GET_LIB(err) == ERR_LIB_SSL && ERR_GET_REASON(err) >= SSL_AD_REASON_OFFSET;
}

const char *
peer_unshaken(unsigned long err)
{
    if (ERR_GET_LIB(err) != ERR_LIB_SSL)
        return NULL;
    switch (ERR_GET_REASON(err)) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW: return "old-version";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE: return "no-common-suite";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER: return "not-tls";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "no-certificate";
    case SSL_R_NO_APPLICATION_PROTOCOL: return "other-protocol";
    default: return NULL;
    }
}
