/*
 * The index of users: found by name and domain, replaced, removed, and every HA1 where it belongs.
 */
#include "auth/users.h"

#include <stdio.h>

#include "unit/heap.h"
#include "unit/text.h"

enum { MANY = 3000 };

static const uint8_t key[16] = "0123456789abcde";
static struct users *users;

static void
begin(void)
{
    heap_watch();
    users = users_new(key);
    ck_assert_ptr_nonnull(users);
}

static void
end(void)
{
    users_free(&users);
    heap_compare();
}

static struct user_id
id_of(const char *name, const char *domain)
{
    struct user_id id;

    must(user_id_write(span_of(name), span_of(domain), &id));
    return id;
}

/* A user whose HA1s are all of one byte. */
static void
put(const char *name, const char *domain, const char *realm, uint8_t byte)
{
    struct user_id id = id_of(name, domain);
    struct user *user = user_new(&id);
    struct user_keys *keys;

    must(user);
    keys = user_keys_get(user, span_of(realm));
    must(keys);
    memset(keys->ha1, byte, sizeof keys->ha1);
    memset(keys->has, 1, sizeof keys->has);
    users_put(users, user);
}

static const struct user *
find(const char *name, const char *domain)
{
    struct user_id id = id_of(name, domain);

    return users_find(users, &id);
}

START_TEST(ids_fold_the_domain_only)
{
    struct user_id id = id_of("Alice", "EXAMPLE.Com");
    char longest[USER_ID_BYTES];

    must_text(user_id_span(&id), "Alice@example.com");
    ck_assert_str_eq(id.text, "Alice@example.com");
    ck_assert(!user_id_write(SPAN(""), SPAN("example.com"), &id));
    ck_assert(!user_id_write(SPAN("alice"), SPAN(""), &id));
    memset(longest, 'a', sizeof longest);
    ck_assert(user_id_write((struct span){ longest, USER_ID_BYTES - 3 }, SPAN("b"), &id));
    ck_assert_uint_eq(id.len, USER_ID_BYTES - 1);
    ck_assert(!user_id_write((struct span){ longest, USER_ID_BYTES - 2 }, SPAN("b"), &id));
    ck_assert(!user_id_write(SPAN("b"), (struct span){ longest, USER_ID_BYTES - 2 }, &id));
    ck_assert(!user_id_write(SPAN("b"), (struct span){ longest, SIZE_MAX / 2 }, &id));
}
END_TEST

START_TEST(users_are_told_apart)
{
    put("alice", "example.com", "example.com", 1);
    put("Alice", "example.com", "example.com", 2);
    put("alice", "example.org", "example.org", 3);
    ck_assert_uint_eq(users_count(users), 3);
    must_text(user_id(find("alice", "Example.COM")), "alice@example.com");
    must_text(user_name(find("Alice", "example.com")), "Alice");
    must_text(user_domain(find("alice", "example.org")), "example.org");
    ck_assert_ptr_null(find("ALICE", "example.com"));
    ck_assert_ptr_null(find("alic", "eexample.com"));
}
END_TEST

START_TEST(keys_belong_to_a_realm_a_form_and_an_algorithm)
{
    struct user_id id = id_of("alice", "example.com");
    struct user *user = user_new(&id);
    struct user_keys *keys = user_keys_get(user, SPAN("realm"));

    keys->has[USER_SHORT][DIGEST_MD5] = true;
    keys->ha1[USER_SHORT][DIGEST_MD5][0] = 0x5d;
    ck_assert_ptr_eq(user_keys_get(user, SPAN("realm")), keys);
    ck_assert_ptr_ne(user_keys_get(user, SPAN("another")), keys);
    ck_assert_ptr_eq(user_ha1(user, USER_SHORT, SPAN("realm"), DIGEST_MD5),
                     keys->ha1[USER_SHORT][DIGEST_MD5]);
    ck_assert_ptr_null(user_ha1(user, USER_LONG, SPAN("realm"), DIGEST_MD5));
    ck_assert_ptr_null(user_ha1(user, USER_SHORT, SPAN("realm"), DIGEST_SHA256));
    ck_assert_ptr_null(user_ha1(user, USER_SHORT, SPAN("another"), DIGEST_MD5));
    ck_assert_ptr_null(user_ha1(user, USER_SHORT, SPAN("Realm"), DIGEST_MD5));
    ck_assert_ptr_null(user_ha1(NULL, USER_SHORT, SPAN("realm"), DIGEST_MD5));
    user_free(&user);
    ck_assert_ptr_null(user);
}
END_TEST

START_TEST(a_new_one_takes_the_place)
{
    put("alice", "example.com", "old", 1);
    put("alice", "example.com", "new", 2);
    ck_assert_uint_eq(users_count(users), 1);
    ck_assert_ptr_null(user_ha1(find("alice", "example.com"), USER_SHORT, SPAN("old"), DIGEST_MD5));
    ck_assert_uint_eq(*user_ha1(find("alice", "example.com"), USER_SHORT, SPAN("new"), DIGEST_MD5),
                      2);
}
END_TEST

START_TEST(many_come_and_go)
{
    char name[16];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "u%d", i);
        put(name, "example.com", "example.com", (uint8_t)i);
    }
    for (int i = 0; i < MANY; i += 3) {
        struct user_id id;

        snprintf(name, sizeof name, "u%d", i);
        id = id_of(name, "example.com");
        must(users_remove(users, &id));
        must(!users_remove(users, &id));
    }
    ck_assert_uint_eq(users_count(users), MANY - MANY / 3);
    for (int i = 0; i < MANY; i++) {
        const struct user *user;

        snprintf(name, sizeof name, "u%d", i);
        user = find(name, "example.com");
        must((user == NULL) == (i % 3 == 0));
        must(!user || *user_ha1(user, USER_LONG, SPAN("example.com"), DIGEST_MD5) == (uint8_t)i);
    }
}
END_TEST

START_TEST(without_memory)
{
    struct user_id id = id_of("alice", "example.com");
    struct user *user;

    for (uint64_t n = 0; n < 2; n++) {
        mem_fail_after(n);
        ck_assert_ptr_null(users_new(key));
    }
    mem_fail_after(0);
    ck_assert_ptr_null(user_new(&id));
    mem_fail_after(1);
    user = user_new(&id);
    ck_assert_ptr_null(user_keys_get(user, SPAN("realm")));
    /* A table that cannot grow still takes who comes. */
    mem_fail_never();
    user_free(&user);
    for (int i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof name, "u%d", i);
        id = id_of(name, "example.com");
        mem_fail_after(1);
        users_put(users, user_new(&id));
        must(users_find(users, &id));
    }
    mem_fail_never();
    ck_assert_uint_eq(users_count(users), 100);
}
END_TEST

Suite *
suite_auth_users(void)
{
    Suite *suite = suite_create("auth_users");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, ids_fold_the_domain_only);
    tcase_add_test(all, users_are_told_apart);
    tcase_add_test(all, keys_belong_to_a_realm_a_form_and_an_algorithm);
    tcase_add_test(all, a_new_one_takes_the_place);
    tcase_add_test(all, many_come_and_go);
    tcase_add_test(all, without_memory);
    suite_add_tcase(suite, all);
    return suite;
}
