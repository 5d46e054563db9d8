# Generated media files for the tests of src/media and src/deck, made once beside the coded clips.
get_filename_component(corpus ${DJAMMS_CLIPS}/../corpus ABSOLUTE)
add_test(NAME media/make_corpus
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/../media/make_corpus.py ${corpus})
set_tests_properties(media/make_corpus PROPERTIES FIXTURES_SETUP corpus TIMEOUT 300)

foreach(test media/corpus_test media/inspect_test media/load_test media/text_lane_test deck/deck_test deck/hardware_test probe/probe_test)
    set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED corpus TIMEOUT 600
        ENVIRONMENT "DJAMMS_CORPUS=${corpus}")
endforeach()
