# Makefile of sipd: one make, no recursion into folders. `make help` lists the doors.
#
# Variables worth knowing (defaults in brackets):
#   B [build]          where everything goes; give every set of flags its own, e.g. B=build/clang
#   CC [./configure]   compiler               WERROR=1  warnings are errors     V=1  show commands
#   SAN=address,undefined                     sanitizers, for programs, modules and tests alike
#   FLOORS MODULES TESTS [all]                build only these: FLOORS="base scan sip" TESTS="uri via"
#   SUITE              run only these suites: make check-unit SUITE=uri
#   FUZZ_S [60]        seconds for each fuzz target
#   FUZZ_SEED          where each begins; nothing: anew each time

B ?= build
FUZZ_S ?= 60
FUZZ_SEED ?=
FUZZ_DIR ?= $(B)/fuzz

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# As many jobs as processors unless told; below the first make the job server counts.
ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
# Several kinds of tests run side by side, and each says all at once.
ifneq ($(word 2,$(filter check-unit check-torture check-sim,$(MAKECMDGOALS))),)
MAKEFLAGS += --output-sync=target
endif
endif

# These goals need no configuration. The doors among them install what is missing
# first (a fresh machine has no autoconf), then call make again for the rest.
doors := run check dev fuzz bench soak deb
unconfigured := $(doors) help deps clean distclean format check-format check-floors check-words check-docs check-figures check-conformance
ifneq ($(filter-out $(unconfigured),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))),)
include config.mk
# Who configured before Check was there, and has it now, is not asked to know.
ifeq ($(strip $(CHECK_LIBS))$(MAKE_RESTARTS),)
ifneq ($(shell pkg-config --exists 'check >= 0.15' 2>/dev/null && echo yes),)
config.mk: FORCE
endif
endif
endif

export SIPD_BUILD := $(B)

# ---------------------------------------------------------------- what there is

all_floors := base scan sip txn core net host daemon
FLOORS ?= $(all_floors)
MODULES ?= $(sort $(patsubst modules/%/,%,$(dir $(wildcard modules/*/*.c))))
kinds := $(foreach k,unit torture sim live,$(if $(wildcard tests/$(k)/test_*.c),$(k)))
TESTS ?=

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
floor_src := $(sort $(foreach f,$(FLOORS),$(wildcard src/$(f)/*.c)))
main_src := $(filter src/daemon/main.c,$(floor_src))
lib_src := $(filter-out $(main_src),$(floor_src))
sipctl_src := $(sort $(wildcard src/base/*.c src/sipctl/*.c))
module_src = $(sort $(wildcard modules/$(1)/*.c))
test_src = $(sort $(if $(TESTS),$(wildcard $(TESTS:%=tests/$(1)/test_%.c)),$(wildcard tests/$(1)/test_*.c)))
helper_src = $(sort $(filter-out tests/$(1)/test_%.c,$(wildcard tests/$(1)/*.c)))
# Helpers that several kinds share: tests/lib, the simulated world, and what a module of the tests shares with them.
testlib_src := $(sort $(wildcard tests/lib/*.c tests/modules/*/lib_*.c)) $(call helper_src,sim)
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzz_names := $(fuzz_src:tests/fuzz/fuzz_%.c=%)
fuzz_helper_src := $(sort $(filter-out $(fuzz_src) tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
# Modules that only tests load: tests/modules/NAME/ becomes $(B)/tests/modules/NAME.so, with what it uses of real ones.
test_modules := $(sort $(patsubst tests/modules/%/,%,$(dir $(wildcard tests/modules/*/*.c))))
bench_names := $(sort $(patsubst bench/%/,%,$(dir $(wildcard bench/*/*.c))))
replay := $(if $(fuzz_src),$(if $(wildcard tests/fuzz/replay.c),$(B)/tests/fuzz_replay))

programs := $(if $(main_src),$(B)/sipd) $(if $(wildcard src/sipctl/main.c),$(B)/sipctl)
module_files := $(MODULES:%=$(B)/modules/%.so)
test_programs := $(kinds:%=$(B)/tests/%) $(replay) $(B)/tests/soak $(test_modules:%=$(B)/tests/modules/%.so)
bench_programs := $(bench_names:%=$(B)/bench/%)

# A module's Makefile.inc sets NAME_libs and, seldom, NAME_cflags; a bench tool's bench_NAME_libs, bench_NAME_cflags.
-include $(MODULES:%=modules/%/Makefile.inc)
-include $(wildcard $(bench_names:%=bench/%/Makefile.inc))

# ---------------------------------------------------------------- flags

comma := ,
warnings := -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wswitch-enum -Wimplicit-fallthrough -Wcast-qual -Wvla -Wformat=2 -Wundef \
	$(if $(WERROR),-Werror)
ifdef SAN
optimise := -O1 -g -fno-omit-frame-pointer -U_FORTIFY_SOURCE -fsanitize=$(SAN) \
	$(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined)
sanitise_ld := -fsanitize=$(subst fuzzer-no-link$(comma),,$(SAN))
else
optimise := -O2 -g $(if $(findstring clang,$(CC)),,$(tune)) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
# More inlining in the floors takes a twelfth off what a message costs there.
fast := -O3
endif
common := $(warnings) $(optimise) $(harden) -fvisibility=hidden -fno-plt -fno-common -D_GNU_SOURCE -pthread
lib_cflags := $(sort $(EVENT_CFLAGS) $(CRYPTO_CFLAGS) $(SSL_CFLAGS) $(SQLITE_CFLAGS) $(CONFIG_CFLAGS) $(JANSSON_CFLAGS))
house_inc := -Isrc -Isrc/include -I$(B)/gen -Ibuild
src_cflags = $(common) $(fast) -fPIE $(house_inc) $(lib_cflags) $(user_cflags) $(CFLAGS)
# A module cannot see the floors: they are not on its path.
module_cflags = $(common) -fPIC -Isrc/include -Imodules/$(1) $(lib_cflags) $($(1)_cflags) $(user_cflags) $(CFLAGS)
# Suites and fuzz functions are called from generated files only, so nothing declares them first.
test_cflags = $(common) -Wno-missing-prototypes -fPIE $(house_inc) -Imodules -Itests $(lib_cflags) $(CHECK_CFLAGS) $(user_cflags) $(CFLAGS)

common_ld := -pthread $(sanitise_ld) -Wl,--as-needed -Wl,-z,relro,-z,now,-z,noexecstack
program_ld = $(common_ld) -pie -Wl,--dynamic-list=$(B)/gen/exports.list $(user_ldflags) $(LDFLAGS)
module_ld = $(common_ld) -shared $(user_ldflags) $(LDFLAGS)

sipd_libs = $(EVENT_LIBS) $(CRYPTO_LIBS) $(CONFIG_LIBS) $(JANSSON_LIBS) -ldl -lm
sipctl_libs = $(JANSSON_LIBS) -lm
test_libs = $(CHECK_LIBS) $(foreach m,$(MODULES),$($(m)_libs)) $(SSL_LIBS) $(SQLITE_LIBS) $(sipd_libs)
# Modules call into the program, so it must hold even what it does not call itself.
whole = -Wl,--whole-archive $(1) -Wl,--no-whole-archive

ifdef V
say :=
else
say = @echo '  $(1)	$(2)';
endif

# ---------------------------------------------------------------- what is built

.PHONY: all everything tests bench-tools FORCE
all: $(programs) $(module_files) $(B)/libsipd.a
tests: $(test_programs)
everything: all tests bench-tools
bench-tools: $(bench_programs) $(B)/bench/counted.so

$(B)/sipd: $(call obj,$(main_src)) $(B)/libsipd.a $(B)/gen/exports.list
	$(call say,LD,$@) $(CC) $(program_ld) -o $@ $(call obj,$(main_src)) $(call whole,$(B)/libsipd.a) $(sipd_libs)

$(B)/sipctl: $(call obj,$(sipctl_src)) $(B)/gen/sipctl.src
	$(call say,LD,$@) $(CC) $(common_ld) -pie $(user_ldflags) $(LDFLAGS) -o $@ $(filter %.o,$^) $(sipctl_libs)

# q, not r: floors may hold files of one name, and r would keep the last only.
$(B)/%.a:
	@mkdir -p $(@D) && rm -f $@
	$(call say,AR,$@) $(AR) cqsD $@ $(filter %.o,$^)

$(B)/libsipd.a: $(call obj,$(lib_src)) $(B)/gen/lib.src
$(B)/tests/libmodules.a: $(call obj,$(foreach m,$(MODULES),$(call module_src,$(m)))) $(B)/gen/modules.src
$(B)/tests/libtests.a: $(call obj,$(testlib_src)) $(B)/gen/testlib.src
# What sipctl is made of, but for its main().
$(B)/tests/libsipctl.a: $(call obj,$(filter src/sipctl/%,$(filter-out %/main.c,$(sipctl_src)))) $(B)/gen/sipctl.src

define module_rule
$(B)/modules/$(1).so: $(call obj,$(call module_src,$(1))) $(B)/gen/modules.src
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $$(CC) $$(module_ld) -o $$@ $$(filter %.o,$$^) $$($(1)_libs)
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

define test_module_rule
$(B)/tests/modules/$(1).so: $(call obj,$(sort $(wildcard tests/modules/$(1)/*.c))) $(B)/tests/libmodules.a $(B)/gen/flags
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $$(CC) $$(module_ld) -o $$@ $$(filter %.o,$$^) $(B)/tests/libmodules.a
endef
$(foreach m,$(test_modules),$(eval $(call test_module_rule,$(m))))

# A tool of bench that measures the program stands alone; one that measures floors names libsipd.a among its libs.
define bench_rule
$(B)/bench/$(1): $(call obj,$(sort $(wildcard bench/$(1)/*.c))) $(filter $(B)/%,$(bench_$(1)_libs)) $(B)/gen/flags
	@mkdir -p $$(@D)
	$$(call say,LD,$$@) $$(CC) $$(common_ld) -pie $$(user_ldflags) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(bench_$(1)_libs)
endef
$(foreach b,$(bench_names),$(eval $(call bench_rule,$(b))))

# Loaded into the program that is measured.
$(B)/bench/counted.so: bench/conns/inside/counted.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(common) -fPIC $(CRYPTO_CFLAGS) $(user_cflags) $(CFLAGS) $(module_ld) -o $@ $< $(CRYPTO_LIBS)

# One program a kind. A test may call a module's inner functions: only the files it needs are
# drawn from libmodules.a. sim and live load modules, so they hold all of libsipd.a.
test_archives := $(B)/tests/libtests.a $(B)/tests/libmodules.a $(B)/tests/libsipctl.a $(B)/libsipd.a
own_helpers = $(if $(filter sim,$(1)),,$(call helper_src,$(1)))
define test_rule
$(B)/tests/$(1): $(call obj,$(call test_src,$(1)) $(call own_helpers,$(1))) $(B)/obj/gen/$(1)_main.o \
		$(test_archives) $(B)/gen/exports.list $(B)/gen/$(1).src
	$$(call say,LD,$$@) $$(CC) $$(program_ld) -o $$@ $$(filter %.o,$$^) $(B)/tests/libtests.a $(B)/tests/libmodules.a $(B)/tests/libsipctl.a \
		$(if $(filter sim live,$(1)),$$(call whole,$(B)/libsipd.a),$(B)/libsipd.a) $$(test_libs)

$(B)/gen/$(1)_main.c: scripts/gen-suites $(B)/gen/$(1).src
	$$(call say,GEN,$$@) scripts/gen-suites $(call test_src,$(1)) >$$@
endef
$(foreach k,$(kinds),$(eval $(call test_rule,$(k))))

# Random calls until there were enough of them: no kind of test, for it has no suites.
soak_src := $(sort $(wildcard tests/soak/*.c))
$(B)/tests/soak: $(call obj,$(soak_src)) $(test_archives) $(B)/gen/exports.list $(B)/gen/testlib.src
	$(call say,LD,$@) $(CC) $(program_ld) -o $@ $(filter %.o,$^) $(B)/tests/libtests.a $(B)/tests/libmodules.a \
		$(call whole,$(B)/libsipd.a) $(test_libs)

# ---------------------------------------------------------------- objects

# What must stand before the first compilation; later the .d files know better.
names_gen := $(if $(wildcard scripts/gen-names),$(if $(wildcard src/sip/names.def),$(B)/gen/names_gen.h))
first := $(names_gen) $(B)/gen/fuzz_list.h build/config.h

$(B)/obj/src/%.o: src/%.c $(B)/gen/flags | $(first)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(src_cflags) -MMD -MP -c -o $@ $<

$(B)/obj/modules/%.o: modules/%.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(call module_cflags,$(firstword $(subst /, ,$*))) -MMD -MP -c -o $@ $<

$(B)/obj/tests/modules/%.o: tests/modules/%.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(call module_cflags,) -MMD -MP -c -o $@ $<

bench_cflags = $(common) -fPIE $(if $(bench_$(1)_libs),$(house_inc) -Ibench) $(bench_$(1)_cflags) $(user_cflags) $(CFLAGS)
$(B)/obj/bench/%.o: bench/%.c $(B)/gen/flags | $(first)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(call bench_cflags,$(firstword $(subst /, ,$*))) -MMD -MP -c -o $@ $<

$(B)/obj/tests/%.o: tests/%.c $(B)/gen/flags | $(first)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(test_cflags) -MMD -MP -c -o $@ $<

$(B)/obj/gen/%.o: $(B)/gen/%.c $(B)/gen/flags | $(first)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(test_cflags) -MMD -MP -c -o $@ $<

# ---------------------------------------------------------------- generated files

$(B)/gen/names_gen.h: src/sip/names.def scripts/gen-names
	@mkdir -p $(@D)
	$(call say,GEN,$@) scripts/gen-names $< >$@.new && mv $@.new $@

$(B)/gen/exports.list: src/EXPORTS
	@mkdir -p $(@D)
	$(call say,GEN,$@) awk 'BEGIN { print "{" } { sub(/#.*/, "") } NF { print "  " $$1 ";" } END { print "};" }' $< >$@

# FUZZ_TARGET(name) a line, for replay.c to expand.
$(B)/gen/fuzz_list.h: $(B)/gen/fuzz.src
	$(call say,GEN,$@) { echo '/* Generated from the names of tests/fuzz/fuzz_*.c. */'; \
		for n in $(fuzz_names); do echo "FUZZ_TARGET($$n)"; done; } >$@

# A stamp changes when its text does: other flags, or a file more or less, rebuild what stands on it.
stamp = @mkdir -p $(@D); printf '%s\n' '$(strip $(1))' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(B)/gen/flags: FORCE
	$(call stamp,$(CC) $(src_cflags) / $(call module_cflags,) / $(CHECK_CFLAGS) / $(program_ld) / $(sipd_libs))
$(B)/gen/lib.src: FORCE
	$(call stamp,$(lib_src))
$(B)/gen/sipctl.src: FORCE
	$(call stamp,$(sipctl_src))
$(B)/gen/modules.src: FORCE
	$(call stamp,$(foreach m,$(MODULES),$(call module_src,$(m)) $($(m)_libs) $($(m)_cflags)))
$(B)/gen/testlib.src: FORCE
	$(call stamp,$(testlib_src))
$(B)/gen/fuzz.src: FORCE
	$(call stamp,$(fuzz_src) $(fuzz_helper_src))
$(kinds:%=$(B)/gen/%.src): $(B)/gen/%.src: FORCE
	$(call stamp,$(call test_src,$*) $(call helper_src,$*))

# ---------------------------------------------------------------- configuration

configure: configure.ac
	@command -v autoconf >/dev/null || { echo 'autoconf is missing: Debian package autoconf (scripts/deps installs all)' >&2; exit 1; }
	autoconf

# A second run keeps the options of the first.
config.mk: configure config.mk.in config.h.in
	@if [ -x config.status ]; then ./config.status --recheck && ./config.status; else ./configure; fi && touch $@

build/config.h: | config.mk
	@./config.status -q $@

# ---------------------------------------------------------------- tests

# A busy machine is not a failure: a test has four times as long as it says (20 s where it says nothing), twelve times under
# sanitizers. Whatever runs longer than a kind's bound hangs, and is ended, so that the others still run and tell.
test_env := ASAN_OPTIONS=$${ASAN_OPTIONS-detect_stack_use_after_return=1} \
	UBSAN_OPTIONS=$${UBSAN_OPTIONS-print_stacktrace=1} \
	CK_DEFAULT_TIMEOUT=$${CK_DEFAULT_TIMEOUT-20} CK_TIMEOUT_MULTIPLIER=$${CK_TIMEOUT_MULTIPLIER-$(if $(SAN),12,4)}
bounded := timeout --foreground -v -k 30 $(if $(SAN),2700,1800)
rules := check-floors check-words check-docs check-figures check-conformance check-deviations check-steps
KINDS ?= $(kinds)

.PHONY: suite $(rules) check-rules check-fuzz $(addprefix check-,unit torture sim live)
$(rules):
	@scripts/$@
check-rules: $(rules)

# Every step runs, whatever failed before it; the last line tells. Those without sockets run beside each other.
suite: everything
	@failed=; \
	for rule in $(rules); do scripts/$$rule || failed="$$failed $$rule"; done; \
	scripts/gen-man check $(B) || failed="$$failed gen-man"; \
	for kind in $(filter-out live,$(KINDS)); do \
		{ $(test_env) $(bounded) $(B)/tests/$$kind $(SUITE) >$(B)/tests/$$kind.log 2>&1; echo $$? >$(B)/tests/$$kind.rc; } & \
	done; wait; \
	for kind in $(filter-out live,$(KINDS)); do \
		echo "== tests/$$kind"; cat $(B)/tests/$$kind.log; \
		[ "$$(cat $(B)/tests/$$kind.rc)" = 0 ] || failed="$$failed $$kind"; \
	done; \
	for kind in $(filter live,$(KINDS)); do \
		echo "== tests/$$kind"; \
		$(test_env) $(bounded) $(B)/tests/$$kind $(SUITE) || failed="$$failed $$kind"; \
	done; \
	if [ -n '$(replay)' ]; then \
		echo '== tests/fuzz: corpus'; \
		$(test_env) $(bounded) $(B)/tests/fuzz_replay tests/fuzz/corpus || failed="$$failed fuzz_replay"; \
	fi; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi; \
	echo 'all passed: $(rules) $(KINDS) $(if $(replay),fuzz_replay)'

$(kinds:%=check-%): check-%: $(B)/tests/%
	@$(test_env) $(B)/tests/$* $(SUITE)
check-sim check-live: all $(B)/tests/soak $(test_modules:%=$(B)/tests/modules/%.so)

check-fuzz: $(replay)
	@$(if $(replay),$(test_env) $(replay) tests/fuzz/corpus,echo 'no fuzz targets yet')

$(B)/tests/fuzz_replay: $(call obj,$(fuzz_src) $(fuzz_helper_src) tests/fuzz/replay.c) $(test_archives) $(B)/gen/exports.list $(B)/gen/fuzz.src
	$(call say,LD,$@) $(CC) $(program_ld) -o $@ $(filter %.o,$^) $(test_archives) $(test_libs)

# ---------------------------------------------------------------- fuzzing
# The outer make calls itself with clang, into a folder of its own; fuzz-NAME runs one target.

fuzz_programs := $(fuzz_names:%=$(FUZZ_DIR)/fuzz_%)
fuzz_runs := $(fuzz_names:%=fuzz-run-%)
.PHONY: fuzz-build fuzz-run $(fuzz_runs)
fuzz-build: $(fuzz_programs)
fuzz-run: $(fuzz_runs)

$(fuzz_programs): $(FUZZ_DIR)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/gen/fuzz_%_main.o \
		$(call obj,$(fuzz_helper_src)) $(test_archives) $(B)/gen/exports.list $(B)/gen/fuzz.src
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(program_ld) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(test_archives) $(test_libs)

$(fuzz_names:%=$(B)/gen/fuzz_%_main.c): $(B)/gen/fuzz_%_main.c: $(B)/gen/fuzz.src
	$(call say,GEN,$@) printf '%s\n' '/* Generated: the door for libFuzzer. */' '#include <stddef.h>' '#include <stdint.h>' \
		'int fuzz_$*(const uint8_t *data, size_t size);' \
		'int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);' \
		'int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_$*(data, size); }' >$@

# New inputs go to a folder that is thrown away; the corpus is only read. A crash keeps its input. No input takes a second
# here: what takes 30, or two GiB, does so by nature. That a seed be a path, the folder is not read again and addresses, which
# libFuzzer hashes, are the same each time.
at_one_place := $(if $(FUZZ_SEED),$(shell setarch -R true 2>/dev/null && echo setarch -R))
$(fuzz_runs): fuzz-run-%: $(FUZZ_DIR)/fuzz_%
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && mkdir -p $(FUZZ_DIR)/found && \
	seeds=tests/fuzz/corpus/$*; [ -d "$$seeds" ] || seeds=; \
	dict=tests/fuzz/$*.dict; [ -f "$$dict" ] || dict=tests/fuzz/sip.dict; [ -f "$$dict" ] || dict=; \
	echo "  FUZZ	$* for $(FUZZ_S) s"; \
	if $(at_one_place) $< -max_total_time=$(FUZZ_S) $(if $(FUZZ_SEED),-seed=$(FUZZ_SEED)) -reload=0 \
		-timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ_DIR)/found/$*- $${dict:+-dict="$$dict"} "$$new" $$seeds >$(FUZZ_DIR)/$*.log 2>&1; \
	then echo "  fuzz_$*: nothing found, $$(sed -n 's/^stat::number_of_executed_units: *//p' $(FUZZ_DIR)/$*.log) runs"; \
	else tail -n 40 $(FUZZ_DIR)/$*.log; echo "fuzz_$* FAILED: log $(FUZZ_DIR)/$*.log, input in $(FUZZ_DIR)/found/"; exit 1; fi

# ---------------------------------------------------------------- doors

.PHONY: help deps $(doors)
help:
	@echo 'make            configure and build               make run      install what is missing, build, run a demo'
	@echo 'make check      build, run every test             make dev      sanitizers, warnings are errors (build/dev)'
	@echo 'make fuzz       every fuzz target for FUZZ_S s    make bench    CPU time per message'
	@echo 'make soak       200 times kill -9 under a storm of REGISTERs; a million random calls (SOAK="calls N seed N ...": the head of tests/soak/soak.c)'
	@echo 'make install    DESTDIR, ./configure --prefix     make uninstall'
	@echo 'make deb        a Debian package, in build/'
	@echo 'make check-unit|check-torture|check-sim|check-live [SUITE=name]   make suite: check without installing packages'
	@echo 'make format, make check-format, make tidy, make clean, make distclean; variables: the head of the Makefile'

deps:
	@scripts/deps run
run:
	@scripts/deps run
	@$(MAKE) all
	@exec scripts/run
check:
	@scripts/deps check
	@$(MAKE) suite
dev:
	@scripts/deps check
	@$(MAKE) B=$(B)/dev WERROR=1 SAN=address,undefined everything
fuzz:
	@scripts/deps fuzz
	@$(MAKE) -k B=$(B)/libfuzzer FUZZ_DIR=$(B)/fuzz CC=clang SAN=fuzzer-no-link,address,undefined fuzz-run
bench:
	@scripts/deps run
	@$(MAKE) all bench-tools
	@$(B)/bench/parse
	@$(B)/bench/core
	@$(B)/bench/bindings
	@$(B)/bench/register
	@exec scripts/bench
soak:
	@scripts/deps check
	@$(MAKE) all $(B)/tests/soak $(B)/tests/live $(test_modules:%=$(B)/tests/modules/%.so)
	@SIPD_KILLED=200 $(test_env) $(B)/tests/live killed
	@$(B)/tests/soak $(SOAK)

deb:
	@scripts/deps deb
	@exec scripts/deb

# ---------------------------------------------------------------- install

INSTALL ?= install
units := $(prefix)/lib/systemd/system
sysusers := $(prefix)/lib/sysusers.d
tmpfiles := $(prefix)/lib/tmpfiles.d
examples := $(prefix)/share/doc/sipd/examples
completions := $(prefix)/share/bash-completion/completions
pages := $(sort $(wildcard man/*.[1-9] $(B)/man/*.[1-9]))
page_dest = $(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
public_headers := $(sort $(wildcard src/include/sipd/*.h))
fill = sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@bindir@|$(bindir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g' \
	-e 's|@localstatedir@|$(localstatedir)|g' -e 's|@runstatedir@|$(runstatedir)|g'

.PHONY: install uninstall
install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/sipd $(DESTDIR)$(includedir)/sipd \
		$(DESTDIR)$(sysconfdir)/sipd $(DESTDIR)$(units) $(DESTDIR)$(sysusers) $(DESTDIR)$(tmpfiles)
	$(if $(filter %/sipd,$(programs)),$(INSTALL) -m 755 $(B)/sipd $(DESTDIR)$(sbindir)/sipd)
	$(if $(filter %/sipctl,$(programs)),$(INSTALL) -m 755 $(B)/sipctl $(DESTDIR)$(bindir)/sipctl)
	$(if $(module_files),$(INSTALL) -m 644 $(module_files) $(DESTDIR)$(libdir)/sipd/)
	$(if $(public_headers),$(INSTALL) -m 644 $(public_headers) $(DESTDIR)$(includedir)/sipd/)
	$(foreach p,$(pages),$(INSTALL) -D -m 644 $(p) $(DESTDIR)$(call page_dest,$(p)) &&) true
	$(fill) etc/systemd/sipd.service.in >$(DESTDIR)$(units)/sipd.service
	$(fill) etc/systemd/sipd.sysusers.in >$(DESTDIR)$(sysusers)/sipd.conf
	$(fill) etc/systemd/sipd.tmpfiles.in >$(DESTDIR)$(tmpfiles)/sipd.conf
	$(INSTALL) -D -m 644 etc/redirect.conf $(DESTDIR)$(examples)/redirect.conf
	$(INSTALL) -D -m 644 etc/sipctl.bash $(DESTDIR)$(completions)/sipctl
	@# The administrator's file is never overwritten.
	if [ -f etc/sipd.conf ] && [ ! -e $(DESTDIR)$(sysconfdir)/sipd/sipd.conf ]; then \
		$(INSTALL) -m 644 etc/sipd.conf $(DESTDIR)$(sysconfdir)/sipd/sipd.conf; fi

# Settings and state stay: they belong to the administrator.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/sipd $(DESTDIR)$(bindir)/sipctl $(MODULES:%=$(DESTDIR)$(libdir)/sipd/%.so) \
		$(public_headers:src/include/%=$(DESTDIR)$(includedir)/%) \
		$(DESTDIR)$(units)/sipd.service $(DESTDIR)$(sysusers)/sipd.conf $(DESTDIR)$(tmpfiles)/sipd.conf \
		$(DESTDIR)$(examples)/redirect.conf $(DESTDIR)$(completions)/sipctl $(foreach p,$(pages),$(DESTDIR)$(call page_dest,$(p)))
	-rmdir $(DESTDIR)$(libdir)/sipd $(DESTDIR)$(includedir)/sipd $(DESTDIR)$(examples) 2>/dev/null

# ---------------------------------------------------------------- housekeeping

c_files = $(sort $(shell find src modules tests bench -name '*.[ch]'))
.PHONY: clean distclean format check-format tidy
clean:
	rm -rf $(B)
distclean: clean
	rm -rf build configure configure~ config.mk config.log config.status autom4te.cache
format:
	@command -v clang-format >/dev/null || { echo 'clang-format is missing: Debian package clang-format' >&2; exit 1; }
	clang-format -i $(c_files)
# Versions differ in what they make of a line; Debian 12 has 14, whose shape ours is.
check-format:
	@command -v clang-format >/dev/null || { echo 'clang-format is missing: Debian package clang-format' >&2; exit 1; }
	@others=$$(printf '%s\n' $(c_files) | xargs -P $$(nproc) -n 20 sh -c \
		'for f; do clang-format "$$f" | cmp -s - "$$f" || echo "$$f"; done' sh | sort); \
	if [ -n "$$others" ]; then \
		printf '%s\n' "$$others"; echo "not in the shape of $$(clang-format --version); run: make format" >&2; exit 1; fi
tidy: $(first)
	@command -v clang-tidy >/dev/null || { echo 'clang-tidy is missing: Debian package clang-tidy' >&2; exit 1; }
	clang-tidy --quiet $(floor_src) $(wildcard src/sipctl/*.c) -- -std=c17 -D_GNU_SOURCE $(house_inc) $(lib_cflags)
	$(foreach m,$(MODULES),clang-tidy --quiet $(call module_src,$(m)) -- -std=c17 -D_GNU_SOURCE -Isrc/include -Imodules/$(m) $(lib_cflags) &&) true

all_src := $(floor_src) $(wildcard src/sipctl/*.c) $(foreach m,$(MODULES),$(call module_src,$(m))) \
	$(wildcard tests/*/*.c tests/modules/*/*.c bench/*/*.c)
-include $(patsubst %.o,%.d,$(call obj,$(all_src))) $(wildcard $(B)/obj/gen/*.d)
