/* Native code that crashes as soon as WasmEdge loads it as a plugin: on an instruction that the
 * processor does not have, or (SEGV) on an address that nobody gave it. */
__attribute__((constructor)) static void load(void) {
#ifdef SEGV
    *(volatile int *)8 = 1;
#else
    __builtin_trap();
#endif
}
