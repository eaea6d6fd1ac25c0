# shrink.cmake: cmake -DOBJCOPY= -DNM= -DARCHIVE= -P shrink.cmake
# Makes of the archive that Cargo built one that can be linked into any program.

# Two thirds of it are bitcode, for the compiler's own link-time optimisation, and debug information.
set(options -D --strip-debug --remove-section .llvmbc --remove-section .llvmcmd)

# A program may have an SQLite of its own, which must not be mixed up with the library's.
execute_process(COMMAND "${NM}" --defined-only --extern-only "${ARCHIVE}"
  OUTPUT_VARIABLE symbols ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} cannot read ${ARCHIVE}: ${failed}")
endif()
string(REGEX MATCHALL "[ \t]sqlite3[A-Za-z0-9_]*" symbols "${symbols}")
list(TRANSFORM symbols STRIP)
list(REMOVE_DUPLICATES symbols)
list(TRANSFORM symbols REPLACE "^(.+)$" "\\1 datafeed_\\1")
list(JOIN symbols "\n" names)
file(WRITE "${ARCHIVE}.names" "${names}\n")
execute_process(COMMAND "${OBJCOPY}" ${options} "--redefine-syms=${ARCHIVE}.names" "${ARCHIVE}"
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${OBJCOPY} cannot shrink ${ARCHIVE}: ${failed}")
endif()
