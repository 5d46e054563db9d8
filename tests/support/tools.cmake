# The tools of the system tests: coded clips, the sampler of what is presented, the scanner of what is
# heard. Never instrumented: they measure.
set(DJAMMS_CLIPS ${CMAKE_BINARY_DIR}/clips CACHE PATH "where the coded test clips are made")
set(support ${CMAKE_CURRENT_SOURCE_DIR}/support)

function(djamms_tool name)
    list(TRANSFORM ARGN PREPEND ${support}/)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
    target_link_libraries(${name} PRIVATE Threads::Threads m)
    if(DJAMMS_SANITIZE)
        target_compile_options(${name} PRIVATE -fno-sanitize=all)
        target_link_options(${name} PRIVATE -fno-sanitize=all)
    endif()
endfunction()

djamms_tool(clipgen clipgen.c)
djamms_tool(framewatch framewatch.c strip.c painter.c)
djamms_tool(treerun treerun.c)
djamms_tool(wavscan wavscan.c)

djamms_tool(relay relay.c relay_frames.c)

# Set before a program by LD_PRELOAD, so never instrumented either.
function(djamms_preload name source)
    add_library(${name} MODULE ${source})
    set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
    if(DJAMMS_SANITIZE)
        target_compile_options(${name} PRIVATE -fno-sanitize=all)
        target_link_options(${name} PRIVATE -fno-sanitize=all)
    endif()
endfunction()

djamms_preload(wall ${support}/wall.c)

# For the emulated displays.
djamms_preload(surfaceless ${CMAKE_CURRENT_SOURCE_DIR}/vm/surfaceless.c)
target_link_libraries(surfaceless PRIVATE ${CMAKE_DL_LIBS})
djamms_preload(xrgb ${CMAKE_CURRENT_SOURCE_DIR}/vm/xrgb.c)
target_link_libraries(xrgb PRIVATE PkgConfig::DRM)

# A board's decoder, for LD_PRELOAD; what it stands for it takes from the program.
add_library(hwfake MODULE ${support}/hwfake.c)
set_target_properties(hwfake PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_include_directories(hwfake PRIVATE ${FFMPEG_INCLUDE_DIRS})
target_compile_options(hwfake PRIVATE -Wno-missing-prototypes)
if(DJAMMS_SANITIZE)
    target_compile_options(hwfake PRIVATE -fno-sanitize=all)
    target_link_options(hwfake PRIVATE -fno-sanitize=all)
endif()

# A device for alsa-lib, loaded by name.
add_library(alsa_timed MODULE ${support}/alsa_timed.c)
set_target_properties(alsa_timed PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_compile_definitions(alsa_timed PRIVATE PIC)
target_compile_options(alsa_timed PRIVATE -Wno-missing-prototypes)
target_link_libraries(alsa_timed PRIVATE PkgConfig::ALSA)
if(DJAMMS_SANITIZE)
    target_compile_options(alsa_timed PRIVATE -fno-sanitize=all)
    target_link_options(alsa_timed PRIVATE -fno-sanitize=all)
endif()
if(TARGET output_audio_heard_test)
    add_dependencies(output_audio_heard_test alsa_timed)
    set_tests_properties(output/audio_heard_test PROPERTIES ENVIRONMENT "DJAMMS_BUILD=${CMAKE_BINARY_DIR}")
endif()

# The jukebox's own judgement, so instrumented like it.
add_executable(failclass ${support}/failclass.c)
set_target_properties(failclass PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_link_libraries(failclass PRIVATE djamms_source)

# A real client of the server.
if(TARGET net_server_socket_test)
    target_link_libraries(net_server_socket_test PRIVATE PkgConfig::CURL)
endif()

# The servers in these tests speak TLS.
find_package(OpenSSL REQUIRED)
foreach(test net_http_client_test net_ws_client_test sync_driver_test)
    if(TARGET ${test})
        target_link_libraries(${test} PRIVATE OpenSSL::SSL PkgConfig::LWS)
    endif()
endforeach()

add_test(NAME support/clips COMMAND ${support}/make-clips $<TARGET_FILE:clipgen> ${DJAMMS_CLIPS})
set_tests_properties(support/clips PROPERTIES FIXTURES_SETUP clips TIMEOUT 600)

add_test(NAME support/sampler COMMAND ${Python3_EXECUTABLE} ${support}/sampler_test.py)
set_tests_properties(support/sampler PROPERTIES TIMEOUT 120
    ENVIRONMENT "DJAMMS_BUILD=${CMAKE_BINARY_DIR}")
add_test(NAME support/wavscan COMMAND ${Python3_EXECUTABLE} ${support}/wavscan_test.py)
set_tests_properties(support/wavscan PROPERTIES TIMEOUT 60
    ENVIRONMENT "DJAMMS_BUILD=${CMAKE_BINARY_DIR}")

add_test(NAME support/relay COMMAND ${Python3_EXECUTABLE} ${support}/relay_test.py)
set_tests_properties(support/relay PROPERTIES TIMEOUT 60
    ENVIRONMENT "DJAMMS_BUILD=${CMAKE_BINARY_DIR}")

add_test(NAME includes COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/includes_test.py)

# Each header of ours compiled alone: it includes what it needs.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/*.h)
foreach(header ${headers})
    string(MAKE_C_IDENTIFIER ${header} identifier)
    set(source ${CMAKE_BINARY_DIR}/headers/${identifier}.c)
    file(GENERATE OUTPUT ${source} CONTENT
"#include \"${header}\"
#include \"${header}\"
#ifdef NDEBUG
#error \"the tests need assertions\"
#endif
int header_${identifier}(void);
int header_${identifier}(void)
{
    return 0;
}
")
    list(APPEND header_sources ${source})
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${header_sources})
target_link_libraries(headers_alone PRIVATE PkgConfig::FFMPEG PkgConfig::SDL PkgConfig::ALSA
    PkgConfig::JANSSON PkgConfig::UV PkgConfig::INIH PkgConfig::FRIBIDI PkgConfig::FONTCONFIG)
target_compile_options(headers_alone PRIVATE -Werror)
add_test(NAME headers_alone COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target headers_alone --parallel 1)
set_tests_properties(headers_alone PROPERTIES TIMEOUT 600)

include(${support}/corpus.cmake)

# More rounds, for `./dev test --long` (ctest -C Long).
add_test(NAME system/kill_long CONFIGURATIONS Long
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/system/kill_test.py --rounds 500
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/system)
set_tests_properties(system/kill_long PROPERTIES TIMEOUT 7200 RUN_SERIAL TRUE)
add_test(NAME system/hub_kill_long CONFIGURATIONS Long
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/system/hub_kill_test.py --rounds 200
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/system)
set_tests_properties(system/hub_kill_long PROPERTIES TIMEOUT 3600 RUN_SERIAL TRUE)
add_test(NAME system/source_kill_long CONFIGURATIONS Long
    COMMAND ${CMAKE_COMMAND} -E env DJAMMS_ROUNDS=100 ${Python3_EXECUTABLE}
        ${CMAKE_CURRENT_SOURCE_DIR}/system/source_test.py Kill.test_killed_again_and_again_nothing_bad_is_published
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/system)
set_tests_properties(system/source_kill_long PROPERTIES TIMEOUT 7200 RUN_SERIAL TRUE)
# The package in a new minimal Debian of this machine's release.
add_test(NAME system/package_clean_long CONFIGURATIONS Long
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/system/package_test.py Clean
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/system)
set_tests_properties(system/package_clean_long PROPERTIES TIMEOUT 3600 RUN_SERIAL TRUE)
# The image of a box, made and started in QEMU.
add_test(NAME image/boot_long CONFIGURATIONS Long
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/image/boot_test.py)
set_tests_properties(image/boot_long PROPERTIES TIMEOUT 10800 RUN_SERIAL TRUE SKIP_RETURN_CODE 77)

# When all tests are known: what the system tests need, and which tests run under the sanitizers.
function(djamms_test_properties)
    get_property(tests DIRECTORY PROPERTY TESTS)
    set(slow 1)
    if(DJAMMS_SANITIZE)
        set(slow 4)
    elseif(CMAKE_CROSSCOMPILING) # then they are emulated
        set(slow 8)
    endif()
    # A job of `./dev test` is a quarter of a core: what computes takes four, what mostly waits takes two. COST: the long ones
    # first, a core is not to be left over at the end.
    cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
    math(EXPR all "4 * ${cores}")
    set(waiting "source|faults|extractor[a-z_]*|bad_input|venue_[a-z]*|fetch|hub_http")
    foreach(test ${tests})
        set_tests_properties(${test} PROPERTIES PROCESSORS 4)
        if(test STREQUAL "support/clips") # ffmpeg takes all cores
            set_tests_properties(${test} PROPERTIES COST 400 PROCESSORS ${all})
        elseif(test MATCHES "^(support/sampler|system/(play|outputs|resume|growing|kill|service|subtitles|hardware|sound)_test)$" AND NOT DJAMMS_SANITIZE)
            set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE) # about the pace
        elseif(test MATCHES "^system/(${waiting})_test$")
            set_tests_properties(${test} PROPERTIES COST 100 PROCESSORS 2)
            if(test MATCHES "extractor|fetch") # Python starts again and again
                set_tests_properties(${test} PROPERTIES PROCESSORS 3)
            endif()
        elseif(test MATCHES "^(system/|hub/functions_request|cli/(supervisor|commands|walk)|model/queue_property|source/cache|\
sync/(sync_simulation|requests)|player/jukebox_venues)")
            set_tests_properties(${test} PROPERTIES COST 80)
        endif()
        if(test MATCHES "^(system/package_test|headers_alone)$") # they go through the build
            set_tests_properties(${test} PROPERTIES COST 60 RESOURCE_LOCK build)
        endif()
        if(test MATCHES "^vm/") # a whole machine, and about the pace
            set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
        endif()
        if(test MATCHES "^(system|vm)/")
            set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED clips
                ENVIRONMENT "DJAMMS_BUILD=${CMAKE_BINARY_DIR};DJAMMS_CLIPS=${DJAMMS_CLIPS};DJAMMS_SLOW=${slow}")
        endif()
        # Many downloads at the pace of slow servers, many starts of yt-dlp; faults take ten minutes in the long run.
        if(test MATCHES "^system/(source|extractor[a-z_]*|faults|live|subtitles)_test$")
            set_tests_properties(${test} PROPERTIES TIMEOUT 1800)
        endif()
        if(test STREQUAL "system/venue_kill_test" AND DJAMMS_SANITIZE) # each round is slow there
            set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "DJAMMS_ROUNDS=30")
        endif()
        if(test STREQUAL "system/kill_test" AND DJAMMS_SANITIZE) # likewise
            set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "DJAMMS_ROUNDS=5")
        endif()
        if(test STREQUAL "sync/sync_simulation_test") # the longest
            set_tests_properties(${test} PROPERTIES COST 250 TIMEOUT 3600)
            if(slow GREATER 1) # fewer venues: what they are to find, the first ones show
                set_tests_properties(${test} PROPERTIES ENVIRONMENT "DJAMMS_RUNS=100;DJAMMS_WHOLE_ENGINE=1")
            endif()
        endif()
        if(test STREQUAL "source/supply_simulation_test" AND slow GREATER 1)
            set_tests_properties(${test} PROPERTIES ENVIRONMENT "DJAMMS_RUNS=300")
        endif()
        if(test MATCHES "^(source/(supply_simulation|cache_crash)|player/jukebox_venues|model/queue_property)_test$")
            set_tests_properties(${test} PROPERTIES TIMEOUT 1200)
        endif()
        if(CMAKE_CROSSCOMPILING)
            if(test MATCHES "^system/(cli|library|venue|venue_requests)_test$" OR NOT test MATCHES "^(system|support|sdk|includes|headers)")
                set_tests_properties(${test} PROPERTIES LABELS arm64)
            endif()
            continue()
        endif()
        if(test MATCHES "^(includes|headers_alone|support/|source/cache_crash|system/(kill_long|hub_kill_long|venue_network|\
venue_clock|fetch|faults|extractor|units|package|hardware|sound|image|box_settings|live|service))")
            continue() # says the same in every build, or mostly waits
        endif()
        set(minutes "system/(bad_input|source|venue_rows|hub_http|growing|resume|cli|subtitles)")
        set(one_thread "model/queue_property|sync/(sync_simulation|requests|push)|source/(cache|supply[a-z_]*)|\
player/jukebox_[a-z]*|output/text_draw|media/load|hub/[a-z_]*|system/hub_(socket|request|kill)")
        if(test MATCHES "^(${minutes}|${one_thread})_test$") # what threads do, others show
            set_tests_properties(${test} PROPERTIES LABELS asan)
        else()
            set_tests_properties(${test} PROPERTIES LABELS "asan;tsan")
        endif()
    endforeach()
endfunction()
cmake_language(DEFER CALL djamms_test_properties)
