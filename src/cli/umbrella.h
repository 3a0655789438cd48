#pragma once
/// lazymar COMMAND: one name for all programs.

namespace lazymar {

/// main() of all programs. Called as `lazymar_eval` (the name of a link to it) or as
/// `lazymar eval`, it is that command. --help TOPIC and --version of `lazymar` are about all.
int umbrella_main(int argc, char** argv);

}  // namespace lazymar
