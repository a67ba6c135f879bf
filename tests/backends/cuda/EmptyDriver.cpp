// A shared library without any function of the driver API.
extern "C" [[gnu::visibility("default")]] int hexinIsNoCudaDriver() { return 1; }
