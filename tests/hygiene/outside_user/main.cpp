#include <wyvern/wyvern.hpp>

int main() { return 0; }
