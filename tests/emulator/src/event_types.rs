//! The types of events that are documented.

/// Each documented type of event, and the member of `payload` that holds what is special to it.
///
/// There may be others: clients have to let types through that they do not know.
pub const EVENT_TYPES: [(&str, &str); 17] = [
    ("MESSAGESENT", "messageSent"),
    ("MESSAGESUPPRESSED", "messageSuppressed"),
    ("SYMPHONYELEMENTSACTION", "symphonyElementsAction"),
    ("SHAREDPOST", "sharedPost"),
    ("INSTANTMESSAGECREATED", "instantMessageCreated"),
    ("ROOMCREATED", "roomCreated"),
    ("ROOMUPDATED", "roomUpdated"),
    ("ROOMDEACTIVATED", "roomDeactivated"),
    ("ROOMREACTIVATED", "roomReactivated"),
    ("USERREQUESTEDTOJOINROOM", "userRequestedToJoinRoom"),
    ("USERJOINEDROOM", "userJoinedRoom"),
    ("USERLEFTROOM", "userLeftRoom"),
    ("ROOMMEMBERPROMOTEDTOOWNER", "roomMemberPromotedToOwner"),
    ("ROOMMEMBERDEMOTEDFROMOWNER", "roomMemberDemotedFromOwner"),
    ("CONNECTIONREQUESTED", "connectionRequested"),
    ("CONNECTIONACCEPTED", "connectionAccepted"),
    ("GENERICSYSTEMEVENT", "genericSystemEvent"),
];
