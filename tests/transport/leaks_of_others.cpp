// The provider net of libfabric 1.17 loses some memory for each endpoint; tcp and shm do not. Asked for by
// the leak sanitizer, if there is one.
extern "C" const char*
__lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char*
__lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
  return "leak:libfabric.so\n";
}
