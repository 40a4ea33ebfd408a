# SPDX-License-Identifier: GPL-2.0-only
# One command for each thing people do; `make help` lists them.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.12
O ?= build

all: modules utils

help:
	@echo 'make                       modules for KDIR (default: the running kernel), and tools'
	@echo 'make install               install both (root)'
	@echo 'make demo [KERNEL=6.12]    from nothing to a picture, in a guest'
	@echo 'make check [KERNEL=6.12] [TESTS="a b"]'
	@echo '                           the tests, in a guest; also KERNEL="6.1 7.3"'
	@echo 'make check-all             all tests, also the slow ones, on all kernels'
	@echo 'make prove                 explore the coherency engine with all choices of four'
	@echo '                           that use a buffer; FAULTS=1: find mistakes put in'
	@echo 'make fuzz [SECONDS=300]    the same with eight, by libFuzzer'
	@echo 'make coverage [TESTS="a b"]'
	@echo '                           which lines and branches of ours the tests reach'
	@echo 'make mutate [SAMPLE=100] [SEED=1] [MUTANTS="cache.c a_function"]'
	@echo '                           which mistakes in the allocator and the simulated'
	@echo '                           bus, made one at a time, KUnit notices'
	@echo "make vm CMD='...' [KERNEL=6.12] [PACKAGES=\"a b\"] [DMESG=1]"
	@echo '                           run a command as root in a guest; more options,'
	@echo '                           and its exact exit status: tests/vm/vm --help'
	@echo 'make matrix [KERNEL=6.12] [BUS=simulated|bounce|iommu]'
	@echo '                           which exporters let readers see what was written'
	@echo 'make counts [KERNEL=6.12]  what a frame costs, by how the CPU touches it'
	@echo 'make irqs-off              how long interrupts are off at most (slow)'
	@echo 'make pipelines [KERNEL=6.12]'
	@echo '                           a table: GStreamer pipelines, and who copies'
	@echo 'make lint                  style and static checks of the kernel code'
	@echo 'make clean                 remove what was built'

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

utils:
	$(MAKE) -C utils O=$(abspath $(O)/bin)

install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	$(MAKE) -C utils O=$(abspath $(O)/bin) install

clean:
	[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build

# CMD goes by the environment, so that its quotes survive.
vm: export VM_COMMAND = $(value CMD)
vm:
	@tests/vm/vm --kernel '$(KERNEL)' $(if $(PACKAGES),--packages '$(PACKAGES)') \
		$(if $(DMESG),--dmesg) $(if $(TIMEOUT),--timeout $(TIMEOUT)) "$$VM_COMMAND"

check:
	@tests/vm/check --kernel '$(KERNEL)' $(TESTS)

check-all: prove
	@tests/vm/check --all --kernel '6.1 6.12 7.3 uml debug' $(TESTS)

prove:
	@tests/vm/prove $(if $(FAULTS),--seed,4)

fuzz:
	@tests/vm/prove --fuzz $(or $(SECONDS),300)

coverage:
	@tests/vm/coverage $(TESTS)

mutate:
	@tests/mutate/mutate $(if $(SAMPLE),--sample $(SAMPLE)) \
		$(if $(SEED),--seed $(SEED)) $(MUTANTS)

counts:
	@tests/vm/vm --kernel '$(KERNEL)' /src/tests/guest/counts

# DMA_API_DEBUG looks for each part of a mapping by walking through all of it.
irqs-off:
	@tests/vm/vm --kernel debug --timeout 7200 --append dma_debug=off \
		--qemu '$(icount)' /src/tests/guest/irqs-off

# What the importing devices are on: simulated, or, with QEMU's edu devices and
# real DMA, bounce or iommu. They are slow: time is made of instructions there.
BUS = simulated
icount = -icount shift=0,sleep=off -smp 1
exporters = /src/tests/guest/exporters
matrix-simulated = $(exporters)
matrix-bounce = --timeout 5400 --append swiotlb=65536,force --qemu '$(icount) \
	-device edu,dma_mask=0xffffffff -device edu,dma_mask=0xffffffff' -- \
	$(exporters) '' 'edu=1 dma_bits=32' --remap --size 320x180
matrix-iommu = --timeout 5400 --append intel_iommu=on --qemu '$(icount) \
	-device intel-iommu -device edu -device edu' -- \
	$(exporters) '' 'edu=1 dma_bits=28' --size 320x180
matrix:
	@tests/vm/vm --kernel '$(KERNEL)' \
		$(or $(matrix-$(BUS)),$(error BUS is simulated, bounce or iommu))

pipelines:
	@tests/vm/vm --kernel '$(KERNEL)' --timeout 1800 --packages "$$(sed -n \
		's/^# packages: //p' tests/guest/pipelines.test)" -- \
		/src/tests/guest/pipelines.test | tee $(O)/pipelines-$(KERNEL).tap | \
		sed -n 's/^# |/|/p'

lint:
	@tests/vm/lint $(KERNEL)

demo:
	@tests/vm/vm --kernel '$(KERNEL)' --out build/demo vivid-ext-demo --out /out

.PHONY: all help modules utils install clean vm check check-all prove fuzz \
	counts coverage irqs-off mutate matrix pipelines lint demo
