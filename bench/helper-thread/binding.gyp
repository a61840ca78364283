{
  "targets": [
    {
      "target_name": "helper_thread",
      "sources": ["helper_thread.c"],
      "defines": ["NAPI_VERSION=9"],
      "cflags": ["-O2", "-Wall", "-Wextra"]
    }
  ]
}
