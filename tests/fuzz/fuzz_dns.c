/*
 * Raw answers of DNS: nothing is read beyond them, names are names, and what is kept is what was read.
 */
#include "dns/answer.h"
#include "dns/order.h"
#include "dns/records.h"
#include "fuzz/input.h"

int fuzz_dns(const uint8_t *data, size_t size);

static void
check_name(const char *name)
{
    BUG_ON(strlen(name) >= ANSWER_NAME_BYTES);
    BUG_ON(name[0] != '\0' && strlen(name) <= 253 && !answer_name_ok(span_of(name)));
}

static void
check_srvs(struct dns_records *records, uint64_t seed)
{
    unsigned sum = 0, after = 0;

    for (size_t i = 0; i < records->len; i++) {
        check_name(records->srvs[i].target);
        sum += records->srvs[i].port;
    }
    order_srv(records->srvs, records->len, seed);
    for (size_t i = 0; i < records->len; i++) {
        after += records->srvs[i].port;
        BUG_ON(i > 0 && records->srvs[i].priority < records->srvs[i - 1].priority);
    }
    BUG_ON(sum != after);
}

static void
check_naptrs(struct dns_records *records)
{
    struct order_service services[8];
    bool any;
    unsigned len;

    for (size_t i = 0; i < records->len; i++)
        check_name(records->naptrs[i].replacement);
    len = order_naptr(records->naptrs, records->len, false, ~0u, services, countof(services), &any);
    BUG_ON(len > countof(services) || (len > 0 && !any));
}

/* The first byte says what was asked for; the rest is the answer. */
int
fuzz_dns(const uint8_t *data, size_t size)
{
    struct span bytes;
    struct dns_records *records;
    bool srv = size > 0 && data[0] & 1;

    if (size < 1)
        return 0;
    bytes = input_copy(data + 1, size - 1);
    records = dns_records_read(bytes, srv ? SPAN("_sip._udp.example.com") : SPAN("example.com"),
                               srv ? DNS_SRV : DNS_NAPTR);
    input_free(&bytes); /* nothing of it is lent any more */
    BUG_ON(!records || (records->len > 0) != (records->verdict == DNS_FOUND));
    if (srv)
        check_srvs(records, size);
    else
        check_naptrs(records);
    dns_records_free(&records);
    return 0;
}
