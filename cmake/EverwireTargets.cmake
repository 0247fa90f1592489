# SPDX-License-Identifier: MIT
# What every target of this project has in common.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
# The build tree's import path: the module Everwire lies in <build>/qml/Everwire.
set(EVERWIRE_QML_DIR "${CMAKE_BINARY_DIR}/qml")

if(EVERWIRE_SANITIZE)
    add_compile_options(-fsanitize=${EVERWIRE_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${EVERWIRE_SANITIZE})
endif()

# Headers that nearly every file reads, read once for all targets. ccache takes no part in it, so it is for a build that is
# made once. What a file then forgets to include, scripts/lint and any other build tell.
function(everwire_precompile target)
    if(NOT TARGET everwire_precompiled)
        file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/precompiled.cpp" CONTENT "// Stands for the headers.\n")
        add_library(everwire_precompiled OBJECT "${CMAKE_BINARY_DIR}/precompiled.cpp")
        target_link_libraries(everwire_precompiled PRIVATE Qt6::Core Qt6::Network)
        everwire_set_flags(everwire_precompiled)
        set_target_properties(everwire_precompiled PROPERTIES AUTOMOC OFF)
        target_precompile_headers(everwire_precompiled PRIVATE
            <QtCore> <QtNetwork> <chrono> <functional> <memory> <optional> <unordered_map> <variant> <vector>)
    endif()
    target_precompile_headers(${target} REUSE_FROM everwire_precompiled)
endfunction()

# Warnings and the definitions that keep our headers usable in any Qt project.
function(everwire_set_flags target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
        -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wformat=2
        # GCC 12 warns of what cannot be once Qt's, std::optional's and simdjson's functions are inlined (-O3, or
        # a sanitizer); clang-tidy's analyzer looks for the real ones.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
        # What a newer Qt has deprecated still works with it.
        $<$<BOOL:${EVERWIRE_WARNINGS_AS_ERRORS}>:-Werror> -Wno-error=deprecated-declarations)
    target_compile_definitions(${target} PRIVATE
        QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_URL_CAST_FROM_STRING)
endfunction()

function(everwire_configure_target target)
    everwire_set_flags(${target})
    if(EVERWIRE_PRECOMPILE_HEADERS)
        everwire_precompile(${target})
    endif()
    set_target_properties(${target} PROPERTIES
        AUTOMOC ON
        # A change inside the library needs no new link of the fifty programs that use it.
        LINK_DEPENDS_NO_SHARED ON)
endfunction()

# everwire_add_test(name SOURCES … LIBRARIES … [ENVIRONMENT A=b …] [TIMEOUT seconds])
# One executable with a QTEST main, run offscreen; CTest's name is the target's.
function(everwire_add_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;ENVIRONMENT;LABELS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_executable(${name} ${arg_SOURCES})
    everwire_configure_target(${name})
    target_link_libraries(${name} PRIVATE Qt6::Test ${arg_LIBRARIES})
    # From Qt 6.8 on, the QTRY_… macros convert a long to an int, in the file that uses them. An older Qt warns of our own.
    if(Qt6_VERSION VERSION_GREATER_EQUAL 6.8)
        target_compile_options(${name} PRIVATE -Wno-conversion -Wfloat-conversion)
    endif()
    # The files of a test have short names of their own, such as s(), that must not meet.
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
    # moc writes an empty file for most of them.
    set_source_files_properties("${CMAKE_CURRENT_BINARY_DIR}/${name}_autogen/mocs_compilation.cpp"
        PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${arg_TIMEOUT}
        LABELS "${arg_LABELS}"
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;${arg_ENVIRONMENT}")
endfunction()
