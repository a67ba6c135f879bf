// Sets HEXIN_TEST_ENVIRONMENT ("A=1;B=2") before anything runs, but for what is set
// already: HEXIN_CUDA_LIBRARY=libcuda.so.1 runs the same program on a real driver.
#include <cstdlib>
#include <string>

static const bool isSet = [] {
  std::string text = HEXIN_TEST_ENVIRONMENT;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(';', begin), text.size());
    size_t equal = text.find('=', begin);
    setenv(text.substr(begin, equal - begin).c_str(),
           text.substr(equal + 1, end - equal - 1).c_str(), /*overwrite=*/0);
    begin = end + 1;
  }
  return true;
}();
