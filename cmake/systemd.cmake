# The jukebox as a service. The files name the programs, so they are written when they are installed: where to, is known then.
# systemd looks below /usr and /usr/local.
install(CODE "set(assets ${CMAKE_SOURCE_DIR}/assets)
set(made ${CMAKE_BINARY_DIR}/systemd)
set(bin \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR})")
install(CODE [[
    set(lib ${CMAKE_INSTALL_PREFIX}/lib)
    set(libexec ${lib}/djamms) # what only units start
    foreach(unit djamms-player.service djamms-stage.service djamms-deck@.service djamms-hub.service
            djamms-fallback@.service djamms-summary.service djamms-summary.timer djamms.target run-djamms-shm.mount)
        configure_file(${assets}/systemd/${unit}.in ${made}/${unit} @ONLY)
        file(INSTALL DESTINATION ${lib}/systemd/system TYPE FILE FILES ${made}/${unit})
    endforeach()
    configure_file(${assets}/systemd/fallback-card.in ${made}/fallback-card @ONLY)
    file(INSTALL DESTINATION ${libexec} TYPE PROGRAM FILES ${made}/fallback-card)
    foreach(folder sysusers tmpfiles)
        file(INSTALL DESTINATION ${lib}/${folder}.d TYPE FILE RENAME djamms.conf
            FILES ${assets}/systemd/${folder}.conf)
    endforeach()
    file(INSTALL DESTINATION ${CMAKE_INSTALL_PREFIX}/share/djamms TYPE FILE
        FILES ${assets}/systemd/watchdog.conf)
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr") # /etc is its own
        file(INSTALL DESTINATION /etc/djamms TYPE FILE FILES ${assets}/djamms.ini)
    endif()
]])
