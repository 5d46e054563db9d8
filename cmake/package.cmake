# The package `djamms`, by `./dev package`: what is installed below /usr, and what Debian wants to know.
set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_NAME djamms)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "jukebox that plays music videos on every screen of a house")
set(CPACK_PACKAGE_DESCRIPTION "DJAMMS plays music videos with a queue, requests of guests, and a backend of
the house, on one or more screens. As a service (djamms.target) it needs no
desktop: pictures go straight to the displays, sound to ALSA.")
set(CPACK_PACKAGE_CONTACT "DJAMMS Player authors <djamms@localhost.localdomain>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION video)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
if(CMAKE_LIBRARY_ARCHITECTURE STREQUAL "aarch64-linux-gnu")
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
# Linked libraries are found; these are loaded when they are used, or are programs.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd, libsystemd0, libcurl4t64 | libcurl4, python3")
# Without the GL libraries SDL has no way to a display of the kernel, and it does not ask for them itself.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "yt-dlp, ffmpeg, libegl1, libgles2, libgl1-mesa-dri, fonts-dejavu-core, fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${CMAKE_SOURCE_DIR}/assets/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${debian}/postinst;${debian}/prerm;${debian}/postrm;${debian}/conffiles")
include(CPack)
