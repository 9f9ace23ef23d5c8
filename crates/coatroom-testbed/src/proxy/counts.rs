/// What has passed on one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) trips: u64,
    pub(super) command_bytes: u64,
    pub(super) answer_bytes: u64,
    is_asking: bool,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// To the server.
    Command,
    /// To the client.
    Answer,
}

impl Counts {
    /// Takes down bytes that are about to pass.
    pub(super) fn add(&mut self, way: Way, bytes: usize) {
        match way {
            Way::Command => {
                self.trips += u64::from(!self.is_asking);
                self.command_bytes += bytes as u64;
            }
            Way::Answer => self.answer_bytes += bytes as u64,
        }
        self.is_asking = way == Way::Command;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_begins_when_the_client_speaks_after_the_server() {
        let mut counts = Counts::default();
        for way in [Way::Command, Way::Command, Way::Answer, Way::Answer, Way::Command, Way::Answer] {
            counts.add(way, 10);
        }
        assert_eq!((counts.trips, counts.command_bytes, counts.answer_bytes), (2, 30, 30));
    }
}
