import { from, Observable, type ObservableInput } from 'rxjs';

/**
 * Runs asynchronous work over a sequence, one item at a time: the next item is made only when the work on the last
 * one is done, so nothing queues up, nothing is lost and nothing overtakes. For subscribers that cannot keep up
 * with a plain Observable, which pushes.
 * @param items pulled as needed: `session.batches(from, to)`, say
 */
export function inOrder<T, R>(items: Iterable<T>, work: (item: T) => ObservableInput<R>): Observable<R> {
  return new Observable((subscriber) => {
    const iterator = items[Symbol.iterator]();
    const pull = (): void => {
      // A loop for work that ends at once, so that a long sequence does not deepen the stack.
      for (let again = true; again && !subscriber.closed; ) {
        again = false;
        const next = iterator.next();
        if (next.done) {
          subscriber.complete();
          return;
        }
        let synchronous = true;
        subscriber.add(
          from(work(next.value)).subscribe({
            next: (value) => subscriber.next(value),
            error: (reason) => subscriber.error(reason),
            complete: () => {
              if (synchronous) again = true;
              else pull();
            },
          }),
        );
        synchronous = false;
      }
    };
    subscriber.add(() => iterator.return?.());
    pull();
  });
}
