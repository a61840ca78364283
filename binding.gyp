# How node-gyp compiles the addon. Which files: scripts/sources.mjs, the only list.
{
  'variables': {
    # Defaults; scripts/build.mjs overrides them for the variants (-Dplatform=posix, -Dsanitize=thread).
    'conditions': [
      ['OS=="linux"', {'platform%': 'linux'}, 'OS=="mac"', {'platform%': 'darwin'}, {'platform%': 'posix'}],
    ],
    'sanitize%': '',
    # In CI every warning is an error (-Werror): another compiler's new warning must not end an
    # installation from source.
    'werror%': '-Werror=return-type',
  },
  'targets': [{
    'target_name': 'holdfast',
    'sources': ['<!@(node scripts/sources.mjs addon <(platform))'],
    'include_dirs': [
      '<!@(node scripts/sources.mjs includes <(platform))',
      '<!(node -p "require(\'node-addon-api\').include_dir")',
    ],
    'defines': [
      # 9 is what every supported Node has, so that one binary serves them all.
      'NAPI_VERSION=9',
      # Errors travel as return values: no unwinding through JavaScript frames.
      'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
      'NODE_ADDON_API_DISABLE_DEPRECATED',
      # A worker that is being terminated can no longer be thrown at; that must not end the process.
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ],
    # Node's own settings say -O3 and its C++ version; ours must not move with them.
    'cflags!': ['-O3'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags': [
      '-O2', '-g', '-fvisibility=hidden',
      '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '<(werror)',
    ],
    'cflags_cc': ['-std=c++17'],
    'configurations': {
      'Release': {'cflags!': ['-O3']},
    },
    'conditions': [
      ['OS=="linux"', {
        'libraries': ['-lpthread', '-lrt'],
        'ldflags': ['<!@(node scripts/sources.mjs link <(platform))'],
      }],
      ['OS=="mac"', {
        'xcode_settings': {
          'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
          'CLANG_CXX_LIBRARY': 'libc++',
          'MACOSX_DEPLOYMENT_TARGET': '11',
          'GCC_OPTIMIZATION_LEVEL': '2',
          'GCC_GENERATE_DEBUGGING_SYMBOLS': 'YES',
          'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          'WARNING_CFLAGS': ['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '<(werror)'],
        },
      }],
      ['sanitize!=""', {
        'defines': ['HOLDFAST_INVARIANTS'],
        'cflags': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer'],
        'ldflags': ['-fsanitize=<(sanitize)'],
        'xcode_settings': {
          'OTHER_CFLAGS': ['-fsanitize=<(sanitize)'],
          'OTHER_LDFLAGS': ['-fsanitize=<(sanitize)'],
        },
      }],
    ],
  }],
}
