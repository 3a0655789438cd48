#pragma once
/// lazymar COMMAND: one name for all programs.

namespace lazymar {

/// main() of `lazymar`. `lazymar eval ...` becomes lazymar_eval, which is beside it, with the same
/// arguments; `lazymar doctor` runs here. --help TOPIC and --version are about all commands.
int umbrella_main(int argc, char** argv);

}  // namespace lazymar
