// Links only if every library that libtorch_cuda.so depends on is found.
int main() {
  return 0;
}
