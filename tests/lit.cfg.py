"""lit: IR tests (.mlir) and command-line tests (.test), everywhere under tests/."""

import os

import lit.formats

config.name = "hexin"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "models"]
config.test_source_root = os.path.join(config.hexin_source_dir, "tests")
config.test_exec_root = os.path.join(config.hexin_build_dir, "tests", "lit")

tools = os.path.join(config.hexin_build_dir, "bin")
llvm_tools = config.llvm_tools_dir or "/usr/lib/llvm-22/bin"
config.environment["PATH"] = os.pathsep.join([tools, llvm_tools, os.environ["PATH"]])
config.environment["FILECHECK_OPTS"] = "--dump-input-filter=error --enable-var-scope"
# A test neither sees nor leaves anything in the user's cache.
config.environment["HEXIN_CACHE_DIR"] = os.path.join(config.hexin_build_dir, "tests", "cache")
for name in ("HOME", "OCL_ICD_VENDORS", "HEXIN_MODELS_DIR", "POCL_CACHE_DIR", "TMPDIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%python", config.hexin_python or "python3"))
config.substitutions.append(("%source", config.hexin_source_dir))

# `REQUIRES: compiler` keeps a test out of builds without LLVM.
if config.hexin_has_compiler:
    config.available_features.add("compiler")
