// Every file of cases, so that it registers what it has; a test looks that none is left out.
import './channel.js';
import './counter.js';
import './event.js';
import './exception.js';
import './fifo.js';
import './futex.js';
import './handle.js';
import './interrupted.js';
import './object.js';
import './port.js';
import './restricted.js';
import './socket.js';
import './system.js';
import './task.js';
import './timer.js';
import './vmar.js';
import './vmo.js';
