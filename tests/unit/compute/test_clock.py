from gridtwin.compute.clock import Calendar


def test_instants_come_once_in_order_with_all_that_is_due():
    seen = []
    calendar = Calendar(10, 50, lambda now_s, due: seen.append((now_s, due)))
    calendar.note(40, 1)
    calendar.wake(20)
    calendar.wake(40)
    calendar.note(20, 2)
    calendar.note(40, 3)
    calendar.run()
    assert seen == [(20, [2]), (40, [1, 3])]


def test_what_is_due_at_the_end_or_later_stays():
    seen = []
    calendar = Calendar(10, 50, lambda now_s, due: seen.append((now_s, due)))
    calendar.note(50, 1)
    calendar.note(60, 2)
    calendar.wake(55)
    calendar.run()
    assert seen == []
    assert calendar.due_at == {50: [1], 60: [2]}


def test_an_instant_may_plan_later_ones_and_happens_at_the_start_too():
    seen = []

    def on_instant(now_s, due):
        seen.append(now_s)
        calendar.note(now_s + 15, len(due))

    calendar = Calendar(10, 50, on_instant)
    calendar.wake(10)
    calendar.run()
    assert seen == [10, 25, 40]
