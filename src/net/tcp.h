/* What every TCP connection of ours is set to. */
#pragma once

/* Small writes leave at once; a peer that vanished without a word is noticed: it is asked from 15 s of silence on and
 * given up after 30 s, after 20 s when it does not confirm what we sent; programs that we start do not inherit the
 * descriptor. What the socket does not support is left out. */
void tcp_prepare(int fd);
